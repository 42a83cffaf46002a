// The rows of one block of one chunk: out, lse and dq, and the facts that the key side reads.
#pragma once

#include "reference/probe/head.hpp"

namespace dca::reference::probe {

class QueryNoise;

/// Sums of one mode of one row, relative to `shift`.
struct ModeSums {
    double weight = 0, shift = 0;
    const double* value = nullptr;  ///< sum w v
    [[nodiscard]] bool any() const { return weight > 0; }
};

class QueryBlock {
public:
    QueryBlock(Head& head, std::int64_t chunk, const Block& block);

    /// Fills the facts of the rows; writes out and lse where they are wanted.
    void forward(ProbeResults& results);
    /// Writes dq. noise may be null; it is shown every tile.
    void backward(ProbeResults& results, QueryNoise* noise);

    Head& head;
    std::int64_t chunk;
    Block block;
    Geometry::Present present;
    std::shared_ptr<const Panel> intra, succ;  ///< null: no row meets keys there
    FarSums far_succ, far_inter;               ///< at null: none
    std::vector<char> near;                    ///< of each row: it meets the chunk before in `succ`, else in far_succ
    std::vector<double> out;                   ///< rows x head_dim_v

    [[nodiscard]] std::int64_t index(int r) const { return chunk * head.geometry.chunk_len + block.first + r; }
    [[nodiscard]] RowFact& fact(int r) { return head.fact(index(r)); }
    [[nodiscard]] std::array<ModeSums, 3> sums(int r) const;
    [[nodiscard]] noise::Rows dout() const { return head.dout(index(present.begin), present.end - present.begin); }
    [[nodiscard]] const Panel* panel(Mode mode) const {
        return mode == Mode::intra ? intra.get() : mode == Mode::succ ? succ.get() : nullptr;
    }
    /// Chunk whose keys a panel of this mode meets.
    [[nodiscard]] std::int64_t key_chunk(Mode mode) const { return mode == Mode::intra ? chunk : chunk - 1; }

private:
    void add_numerators(const Panel& panel, std::int64_t key_chunk, AlignedBuffer& numerators) const;
    void finish_row(int r, ProbeResults& results);
    void merge_row(int r, const std::array<ModeSums, 3>& sums, double* row_out);
    void near_dq(const Panel& panel, const AlignedBuffer& dout_left, QueryNoise* noise, AlignedBuffer& dq);
    void far_dq(const FarSums& far, Mode mode, const AlignedBuffer& dout_left, AlignedBuffer& dq);

    int padded_v_;
    AlignedBuffer intra_numerators_, succ_numerators_;
};

/// dout of the rows present as a left operand of all rows of the block; absent rows are 0.
[[nodiscard]] AlignedBuffer packed_dout(const Head& head, std::int64_t first_index, const Block& block,
                                        const Geometry::Present& present, std::vector<double>* copy = nullptr);

}  // namespace dca::reference::probe
