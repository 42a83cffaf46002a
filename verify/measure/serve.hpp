// The child's side of a measurement: one candidate at one size in a process that has done nothing else.
#pragma once

#include <iosfwd>

#include "verify/measure/subject.hpp"

namespace dca::measure {

/// Makes the subject, says "ready INPUT_BYTES OUTPUT_BYTES SOURCE", and answers each line "run CALLS" by calling it so
/// many times and saying
///     done WALL CPU PEAK RESIDENT GPU_SECONDS GPU_BYTES
/// seconds of all calls together and the most bytes held during them above what was there before; "-" for what is not
/// known. SOURCE (MemorySource as a number) is that of PEAK; RESIDENT is the growth of VmHWM. Ends with the stream. A
/// candidate that refuses makes it say "unsupported WHY", one that throws "broke WHY". Returns the exit status.
int serve(const MakeSubject& make, const golden::CaseSpec& spec, std::istream& in, std::ostream& out);

}  // namespace dca::measure
