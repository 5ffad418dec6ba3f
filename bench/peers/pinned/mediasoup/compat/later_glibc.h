/* Lets the Abseil that mediasoup 3.8 carries compile with glibc 2.34 and later, where SIGSTKSZ is no constant any more. */
#ifdef __cplusplus
#include <csignal>
#include <cstdint>
#else
#include <signal.h>
#endif
#undef SIGSTKSZ
#define SIGSTKSZ 65536
