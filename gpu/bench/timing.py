"""Times contestants on a GPU with CUDA events, in alternation.

Before each run a buffer twice the size of the L2 cache is overwritten (unless the caller says not to), and the GPU is
kept busy for a moment, so that launches are queued before the start event passes and Python's own time is not measured
as long as the GPU has work. Nothing but the start event lies between that and the contestant.
"""
from spread import order_of_round

HEAD_START_CYCLES = 2000000  # about a millisecond: longer than the launches of one SDPA call take on the host


class Clock:
    def __init__(self, torch, flush, device):
        self.torch = torch
        size = getattr(torch.cuda.get_device_properties(0), "L2_cache_size", 0) or 64 << 20
        self.buffer = torch.empty(2 * size, dtype=torch.uint8, device=device) if flush else None
        self.described = f"flushed before each run ({2 * size >> 20} MiB written)" if flush else "not flushed"
        self.head_start = getattr(torch.cuda, "_sleep", None)
        if self.head_start is None:
            self.described += "; no head start for launches"

    def run(self, contestant):
        """Milliseconds of one run."""
        torch = self.torch
        start, stop = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        if self.buffer is not None:
            self.buffer.fill_(1)
        if self.head_start is not None:
            self.head_start(HEAD_START_CYCLES)
        start.record()
        contestant.run()
        stop.record()
        stop.synchronize()
        return start.elapsed_time(stop)

    def peak(self, contestant):
        """Bytes that one run takes at most from PyTorch's allocator, above what was there before it (inputs, tables)."""
        cuda = self.torch.cuda
        cuda.synchronize()
        cuda.reset_peak_memory_stats()
        before = cuda.memory_allocated()
        contestant.run()
        cuda.synchronize()
        return cuda.max_memory_allocated() - before

    def alternate(self, contestants, rounds):
        """name -> milliseconds of each round, for {name: contestant}."""
        times = {name: [] for name in contestants}
        for number in range(rounds):
            for name in order_of_round(contestants, number):
                times[name].append(self.run(contestants[name]))
        return times
