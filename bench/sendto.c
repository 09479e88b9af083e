/* The yardstick: what one sendto() to a loopback socket costs here, and nothing else.
   usage: sendto BYTES PACKETS; prints nanoseconds of CPU per packet. */
#define _GNU_SOURCE
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum { RECEIVERS = 7, BATCH = 28 };

static double cpu_s(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return t.tv_sec + t.tv_nsec * 1e-9;
}

int main(int argc, char **argv) {
    if (argc != 3) return 2;
    static char packet[2048], drain[2048];
    size_t size = strtoul(argv[1], 0, 10);
    long wanted = atol(argv[2]), sent = 0;
    if (size > sizeof packet) return 2;
    int receiver[RECEIVERS], sender = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in address[RECEIVERS];
    for (int i = 0; i < RECEIVERS; i++) {
        receiver[i] = socket(AF_INET, SOCK_DGRAM, 0);
        memset(&address[i], 0, sizeof address[i]);
        address[i].sin_family = AF_INET;
        address[i].sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t length = sizeof address[i];
        if (bind(receiver[i], (void *)&address[i], length)) return 1;
        if (getsockname(receiver[i], (void *)&address[i], &length)) return 1;
    }
    double spent = 0;
    while (sent < wanted) {
        double before = cpu_s();
        for (int i = 0; i < BATCH; i++)
            if (sendto(sender, packet, size, 0, (void *)&address[i % RECEIVERS],
                       sizeof address[0]) < 0)
                return 1;
        spent += cpu_s() - before;
        sent += BATCH;
        /* Emptying the sockets is not the sender's work. */
        for (int i = 0; i < RECEIVERS; i++)
            while (recv(receiver[i], drain, sizeof drain, MSG_DONTWAIT) > 0) {}
    }
    printf("%.1f\n", spent / sent * 1e9);
    return 0;
}
