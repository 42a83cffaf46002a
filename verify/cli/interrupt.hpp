// Ctrl-C between two cases: temporary files are removed on the way out. A second Ctrl-C ends the program at once.
#pragma once

namespace dca::cli {

/// Thrown by stop_if_interrupted; not an error of anything, so not derived from std::exception.
struct Interrupted {
    int signal;
};

/// From now on SIGINT, SIGTERM and SIGHUP are remembered once instead of ending the program.
void remember_interrupts();

/// Throws Interrupted if one came.
void stop_if_interrupted();

/// Ends the program the way the signal would have, so that a calling shell sees it.
void end_by_signal(int signal);

}  // namespace dca::cli
