#include "verify/cli/interrupt.hpp"

#include <unistd.h>

#include <csignal>
#include <initializer_list>

namespace dca::cli {
namespace {
volatile std::sig_atomic_t received = 0;

constexpr char notice[] = "\ndca: stopping after this case; once more stops at once\n";

void remember(int signal) {
    received = signal;
    if (isatty(STDERR_FILENO) == 1) (void)!write(STDERR_FILENO, notice, sizeof notice - 1);
}
}  // namespace

void remember_interrupts() {
    struct sigaction once {};
    once.sa_handler = remember;
    once.sa_flags = SA_RESETHAND | SA_RESTART;  // the second one finds the default action
    for (int signal : {SIGINT, SIGTERM, SIGHUP}) {
        struct sigaction before {};
        sigaction(signal, nullptr, &before);
        if (before.sa_handler != SIG_IGN) sigaction(signal, &once, nullptr);  // nohup stays nohup
    }
}

void stop_if_interrupted() {
    if (received != 0) throw Interrupted{received};
}

void end_by_signal(int signal) {
    std::signal(signal, SIG_DFL);
    std::raise(signal);
}

}  // namespace dca::cli
