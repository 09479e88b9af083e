/* The yardstick of forwarding: what PeerMeet's worker does, in C and without encryption.
   Takes a datagram, rewrites sequence number and SSRC, sends it to all others.
   usage: forwarder PEOPLE; prints its port; who sends is one of the people. */
#define _GNU_SOURCE
#include <netinet/in.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>

enum { MAX_PEOPLE = 64, BATCH = 64, BUFFER = 4 << 20 };

int main(int argc, char **argv) {
    if (argc != 2) return 2;
    /* Whoever measures may crash; nobody else would end this. */
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    int people = atoi(argv[1]), known = 0;
    if (people < 2 || people > MAX_PEOPLE) return 2;
    static struct sockaddr_in who[MAX_PEOPLE];
    static uint16_t sequence[MAX_PEOPLE][MAX_PEOPLE];
    static uint8_t packet[2048];
    struct sockaddr_in address = {.sin_family = AF_INET};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    int buffer = BUFFER, s = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    setsockopt(s, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
    setsockopt(s, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer);
    if (bind(s, (void *)&address, length) || getsockname(s, (void *)&address, &length)) return 1;
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    int poll = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN};
    epoll_ctl(poll, EPOLL_CTL_ADD, s, &event);
    for (;;) {
        epoll_wait(poll, &event, 1, -1);
        for (int i = 0; i < BATCH; i++) {
            struct sockaddr_in from;
            length = sizeof from;
            ssize_t size = recvfrom(s, packet, sizeof packet, 0, (void *)&from, &length);
            if (size < 12) break;
            int sender = 0;
            while (sender < known && (who[sender].sin_port != from.sin_port ||
                                      who[sender].sin_addr.s_addr != from.sin_addr.s_addr))
                sender++;
            if (sender == known) {
                if (known == people) continue;
                who[known++] = from;
            }
            for (int to = 0; to < known; to++) {
                if (to == sender) continue;
                uint16_t number = htons(++sequence[sender][to]);
                uint32_t ssrc = htonl(1000 * to + sender);
                memcpy(packet + 2, &number, 2);
                memcpy(packet + 8, &ssrc, 4);
                sendto(s, packet, size, 0, (void *)&who[to], sizeof who[to]);
            }
        }
    }
}
