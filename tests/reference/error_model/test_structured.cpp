// Honest kernels on inputs with structure: errors that all channels or all keys of a row share, channels that dwarf the
// others, probabilities and gradients too small for the type, long positions. Each is a way in which a scale made for
// random inputs raises a false alarm.
#include <cmath>
#include <functional>

#include "tests/reference/error_model/trial.hpp"
#include "tests/support/catch.hpp"

namespace dca::test {
namespace {

using Change = std::function<double(std::int64_t row, std::int64_t channel, double value)>;

void change(Tensor4& tensor, const Change& rule) {
    const auto [batch, rows, heads, channels] = tensor.extents();
    for (std::int64_t b = 0; b < batch; ++b) {
        for (std::int64_t row = 0; row < rows; ++row) {
            for (std::int64_t head = 0; head < heads; ++head) {
                for (std::int64_t c = 0; c < channels; ++c)
                    tensor(b, row, head, c) = rule(row, c, tensor(b, row, head, c));
            }
        }
    }
}

double pattern(std::int64_t, std::int64_t channel, double) {
    return std::sin(static_cast<double>(channel) + 1);
}
Change constant(double value) {
    return [value](auto, auto, double) { return value; };
}
Change times(double factor) {
    return [factor](auto, auto, double x) { return factor * x; };
}
Change plus(double mean) {
    return [mean](auto, auto, double x) { return x + mean; };
}
Change channel_times(std::int64_t which, double factor) {
    return [=](auto, std::int64_t c, double x) { return c == which ? factor * x : x; };
}

struct Structure {
    const char* title;
    std::function<void(Problem&)> problem;
    std::function<void(Inputs&)> inputs;
};

Problem plain_problem(Dtype dtype) {
    Problem p;
    p.dtype = dtype;
    p.shape = {1, 150, 150, 2, 1, 32, 32};
    p.chunk = {60, 12};
    return p;
}

const Structure structures[] = {
    {"v is the same for every key", {}, [](Inputs& in) { change(in.v, pattern); }},
    {"v and dout are constant: dq and dk are 0",
     {},
     [](Inputs& in) {
         change(in.v, pattern);
         change(*in.dout, constant(1));
     }},
    {"k is the same for every key", {}, [](Inputs& in) { change(in.k, pattern); }},
    {"q is the same for every query", {}, [](Inputs& in) { change(in.q, pattern); }},
    {"only positions make logits",
     {},
     [](Inputs& in) {
         change(in.q, pattern);
         change(in.k, pattern);
     }},
    {"dout is 1", {}, [](Inputs& in) { change(*in.dout, constant(1)); }},
    {"one channel of v is 40 times the others", {}, [](Inputs& in) { change(in.v, channel_times(5, 40)); }},
    {"two channels of k are 20 times the others",
     {},
     [](Inputs& in) {
         change(in.k, channel_times(0, 20));
         change(in.k, channel_times(1, 20));
     }},
    {"v and dout have a mean",
     {},
     [](Inputs& in) {
         change(in.v, plus(3));
         change(*in.dout, plus(3));
     }},
    {"v is k", {}, [](Inputs& in) { in.v = in.k; }},
    {"dout is tiny: f16 gradients are subnormal", {}, [](Inputs& in) { change(*in.dout, times(1e-4)); }},
    {"an attention sink without value: every other p is subnormal in f16",
     [](Problem& p) { p.rope.layout = RopeLayout::none; },
     [](Inputs& in) {
         change(in.k, [](std::int64_t row, std::int64_t c, double x) { return c == 0 ? (row == 0 ? 22.0 : 0.0) : x; });
         change(in.q, channel_times(0, 0));
         change(in.q, [](auto, std::int64_t c, double x) { return c == 0 ? 4.0 : x; });
         change(in.v, [](std::int64_t row, auto, double x) { return row == 0 ? 0.0 : x; });
     }},
    {"logits of 100: p underflows in float32",
     {},
     [](Inputs& in) {
         change(in.q, times(6));
         change(in.k, times(6));
     }},
    {"mscale half way between two bf16 numbers",
     [](Problem& p) {
         p.rope.mscale = 1.0351;
         p.rope.base = 1e6;
     },
     [](Inputs& in) { change(in.q, times(2)); }},
    {"one value channel", [](Problem& p) { p.shape.head_dim_v = 1; }, {}},
    {"two channels", [](Problem& p) { p.shape.head_dim = p.shape.head_dim_v = 2; }, {}},
    {"two rotary dims of 32", [](Problem& p) { p.rope.rotary_dim = 2; }, {}},
    {"chunks of one",
     [](Problem& p) {
         p.chunk = {4, 3};
     },
     {}},
    {"a cache of 20000 keys: long positions",
     [](Problem& p) {
         p.shape.seq_q = 3;
         p.shape.seq_k = 20000;
         p.shape.heads_q = 1;
         p.chunk = {16000, 4000};
     },
     {}},
    {"long positions, slow decay of the frequencies",
     [](Problem& p) {
         p.shape.seq_q = 3;
         p.shape.seq_k = 20000;
         p.shape.heads_q = 1;
         p.chunk = {16000, 4000};
         p.rope.base = 1e7;
     },
     [](Inputs& in) { change(in.q, times(0.3)); }},
};

}  // namespace

TEST_CASE("honest kernels are accepted on structured inputs", "[structured]") {
    int runs = 0;
    for (const Structure& structure : structures) {
        for (const Dtype dtype : {Dtype::f32, Dtype::f16, Dtype::bf16}) {
            for (std::uint64_t seed = 1; seed <= 2; ++seed) {
                Problem problem = plain_problem(dtype);
                if (structure.problem) structure.problem(problem);
                Inputs inputs = trial_inputs(problem, seed, 1, true);
                if (structure.inputs) structure.inputs(inputs);
                round_inputs(inputs, dtype);
                const Truth truth(problem, inputs);
                for (const auto softmax :
                     {KernelStyle::Softmax::online, KernelStyle::Softmax::unfused, KernelStyle::Softmax::merged}) {
                    const KernelStyle style{KernelStyle::Rotation::in_dtype, softmax, 0};
                    const Tallies tallies = judge(truth, run_kernel(problem, inputs, style));
                    INFO(structure.title << "; seed " << seed << "; " << describe(problem) << "; " << describe(style)
                                         << "; " << describe(tallies));
                    CHECK(tallies.accepted());
                    ++runs;
                }
            }
        }
    }
    CHECK(runs == 360);
}

TEST_CASE("8-bit kernels whose logits are off by one are accepted", "[structured]") {
    for (const Dtype dtype : {Dtype::e4m3, Dtype::e5m2}) {
        for (std::uint64_t seed = 1; seed <= 6; ++seed) {
            Problem problem = plain_problem(dtype);
            problem.softmax_scale = 0.35;
            const Inputs inputs = trial_inputs(problem, seed, 3, false);
            const Truth truth(problem, inputs);
            for (const auto softmax : {KernelStyle::Softmax::online, KernelStyle::Softmax::unfused}) {
                const Tallies tallies =
                    judge(truth, run_kernel(problem, inputs, {KernelStyle::Rotation::wide, softmax, 0}));
                INFO("seed " << seed << "; " << describe(problem) << "; " << describe(tallies));
                CHECK(tallies.accepted());
            }
        }
    }
}

}  // namespace dca::test
