/* The people of a measurement: send and receive SRTP as browsers do, as cheaply as possible.

   A shared library for load.py, which makes the connections (ICE, DTLS) and hands over sockets,
   SRTP sessions and libsrtp's own functions. Two ways to load a server: `load_run`, voices and
   pictures at their real rates, and `load_flood`, as much as comes back. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    BATCH = 32,
    PACKET = 2048,
    MAX_PAYLOAD = 1100,
    TRAILER = 16, /* what AES-GCM adds */
    MAX_SSRCS = 64,
    MAX_STREAMS = 2048,
    OPUS = 111,
    VP8 = 96,
    MID_ID = 4,
    RID_ID = 10,
    TRANSPORT_ID = 3,
    MAX_ARRIVALS = 512,
    KEY_TIMES = 4, /* how many times the size of another frame a key frame has */
};

typedef int (*Crypt)(void *, void *, int *);

struct library {
    Crypt protect, unprotect, protect_rtcp, unprotect_rtcp;
};

struct person {
    int32_t fd;
    uint16_t port; /* of the server, as on the wire; address below, too */
    uint16_t sources;
    uint32_t address;
    uint32_t ssrcs[MAX_SSRCS]; /* from whom packets came */
    void *tx, *rx;             /* 0: seal, open nothing; sizes stay as if */
    uint64_t received, refused, controls;
    /* Transport-wide congestion control, if the server takes it: our numbers, and what came. */
    uint8_t numbers_transport;
    uint8_t feedbacks;
    uint16_t number, arrivals;
    uint32_t ssrc;
    uint16_t arrived[MAX_ARRIVALS];
    uint64_t arrived_ns[MAX_ARRIVALS];
};

struct stream {
    uint32_t person;
    uint32_t ssrc;
    uint8_t is_video, mid, rid, wants_key; /* mid and rid: one character; rid 0: none */
    uint32_t bytes;                        /* of payload in a frame, on average */
    uint32_t key_every;                    /* frames */
    uint32_t frames;
    uint32_t sequence;
    uint32_t packets, octets;
    double period_s, due;
};

struct outcome {
    uint64_t sent, received, refused; /* packets of RTP; refused: would not open */
    uint64_t audio_sent, audio_received, keys_asked;
    uint64_t delays, audio_delays; /* how many are in the tables */
    double took_s, cpu_s, late_max_s;
};

static struct library lib;

static double seconds(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return t.tv_sec + t.tv_nsec * 1e-9;
}

static uint64_t wall_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return t.tv_sec * 1000000000ull + t.tv_nsec;
}

void load_begin(const struct library *functions) { lib = *functions; }

static void put16(uint8_t *at, unsigned v) { at[0] = v >> 8, at[1] = v; }
static void put32(uint8_t *at, uint32_t v) { put16(at, v >> 16), put16(at + 2, v & 0xFFFF); }
static uint32_t get32(const uint8_t *at) {
    return (uint32_t)at[0] << 24 | at[1] << 16 | at[2] << 8 | at[3];
}

static void transmit(struct person *p, const uint8_t *packet, int size) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = p->port};
    to.sin_addr.s_addr = p->address;
    sendto(p->fd, packet, size, MSG_DONTWAIT, (void *)&to, sizeof to);
}

/* One RTP packet; its last 8 bytes tell when it left. */
static void send_packet(struct person *people, struct stream *s, uint32_t timestamp, int size,
                        int first, int last, int key) {
    static uint8_t packet[PACKET];
    struct person *p = &people[s->person];
    uint8_t *at = packet + 12;
    packet[0] = 0x90;
    packet[1] = (last && s->is_video ? 0x80 : 0) | (s->is_video ? VP8 : OPUS);
    put16(packet + 2, ++s->sequence & 0xFFFF);
    put32(packet + 4, timestamp);
    put32(packet + 8, s->ssrc);
    put16(at, 0xBEDE);
    put16(at + 2, p->numbers_transport ? 2 : 1);
    at[4] = MID_ID << 4, at[5] = s->mid;
    at[6] = s->rid ? RID_ID << 4 : 0, at[7] = s->rid;
    at += 8;
    if (p->numbers_transport) {
        at[0] = TRANSPORT_ID << 4 | 1, at[3] = 0;
        put16(at + 1, ++p->number);
        at += 4;
    }
    uint8_t *end = at + size;
    if (s->is_video) {
        unsigned picture = s->frames;
        at[0] = first ? 0x90 : 0x80, at[1] = 0xE0;
        put16(at + 2, 0x8000 | (picture & 0x7FFF));
        at[4] = picture, at[5] = 0x20;
        at += 6;
        static const uint8_t begin_key[] = {0x50, 0, 0, 0x9D, 1, 0x2A, 0x80, 2, 0x68, 1};
        static const uint8_t begin_other[] = {0x51, 0, 0};
        if (first && key) memcpy(at, begin_key, sizeof begin_key), at += sizeof begin_key;
        else if (first) memcpy(at, begin_other, sizeof begin_other), at += sizeof begin_other;
    }
    memset(at, 0xA5, end - at);
    uint64_t now = wall_ns();
    memcpy(end - 8, &now, 8);
    int length = end - packet;
    if (!p->tx) length += TRAILER;
    else if (lib.protect(p->tx, packet, &length)) return;
    transmit(p, packet, length);
    s->packets++, s->octets += size;
}

static int send_frame(struct person *people, struct stream *s) {
    s->frames++;
    if (!s->is_video) {
        send_packet(people, s, s->frames * 960, s->bytes, 1, 1, 0);
        return 1;
    }
    int key = s->wants_key || s->frames % s->key_every == 1;
    s->wants_key = 0;
    int other = (uint64_t)s->bytes * s->key_every / (s->key_every - 1 + KEY_TIMES);
    int bytes = key ? other * KEY_TIMES : other;
    int count = (bytes + MAX_PAYLOAD - 1) / MAX_PAYLOAD;
    for (int i = 0; i < count; i++)
        send_packet(people, s, (uint32_t)(s->frames * s->period_s * 90000), bytes / count, i == 0,
                    i == count - 1, key);
    return count;
}

static void send_report(struct person *people, struct stream *s) {
    static uint8_t packet[PACKET];
    struct person *p = &people[s->person];
    uint64_t now = wall_ns();
    put32(packet, 0x80C80006);
    put32(packet + 4, s->ssrc);
    put32(packet + 8, now / 1000000000 + 2208988800u);
    put32(packet + 12, (uint32_t)((now % 1000000000) * 4.294967296));
    put32(packet + 16, s->is_video ? (uint32_t)(s->frames * s->period_s * 90000) : s->frames * 960);
    put32(packet + 20, s->packets);
    put32(packet + 24, s->octets);
    int length = 28;
    if (!lib.protect_rtcp(p->tx, packet, &length)) transmit(p, packet, length);
}

/* Requests for key frames (PLI, FIR) reach the stream that they name. */
static void obey(struct stream *streams, int count, const uint8_t *packet, int size,
                 struct outcome *out) {
    for (int at = 0; at + 12 <= size;) {
        int words = packet[at + 2] << 8 | packet[at + 3], format = packet[at] & 31;
        uint32_t wanted = 0;
        if (packet[at + 1] == 206 && format == 1) wanted = get32(packet + at + 8);
        if (packet[at + 1] == 206 && format == 4 && at + 16 <= size) wanted = get32(packet + at + 12);
        if (wanted) {
            out->keys_asked++;
            for (int i = 0; i < count; i++)
                if (streams[i].ssrc == wanted) streams[i].wants_key = 1;
        }
        at += 4 + 4 * words;
    }
}

static void note_arrival(struct person *p, const uint8_t *packet, int size, uint64_t now) {
    if (!(packet[0] & 0x10) || size < 16 || p->arrivals == MAX_ARRIVALS) return;
    int at = 12 + 4 * (packet[0] & 15);
    int end = at + 4 + 4 * (packet[at + 2] << 8 | packet[at + 3]);
    for (at += 4; at < end && end <= size;) {
        int id = packet[at] >> 4, length = (packet[at] & 15) + 1;
        if (id == TRANSPORT_ID && length == 2) {
            p->arrived[p->arrivals] = packet[at + 1] << 8 | packet[at + 2];
            p->arrived_ns[p->arrivals++] = now;
            return;
        }
        at += packet[at] ? 1 + length : 1;
    }
}

/* What came since the last time, in the manner of draft-holmer-rmcat-transport-wide-cc-01:
   runs of one status each; what is late or out of order is left out, as if lost. */
static void send_feedback(struct person *p) {
    static uint8_t packet[PACKET], deltas[2 * MAX_ARRIVALS];
    if (!p->arrivals) return;
    uint64_t base = p->arrived_ns[0] / 64000000, last = base * 64000000;
    uint16_t next = p->arrived[0];
    uint8_t *chunk = packet + 20;
    int bytes = 0, run = 0, status = -1, count = 0;
    for (int i = 0; i <= p->arrivals; i++) {
        int gap = 0, now = -1;
        uint64_t delta = 0;
        if (i < p->arrivals) {
            gap = (uint16_t)(p->arrived[i] - next);
            if (gap > 0x4000 || p->arrived_ns[i] < last) continue;
            delta = (p->arrived_ns[i] - last) / 250000;
            now = delta < 256 ? 1 : 2;
            if (delta > 32767) delta = 32767;
        }
        if (run && (gap || now != status)) put16(chunk, status << 13 | run), chunk += 2, run = 0;
        if (now < 0) break;
        if (gap) put16(chunk, gap & 0x1FFF), chunk += 2, count += gap;
        status = now, run++, count++, next = p->arrived[i] + 1, last += delta * 250000;
        if (now == 2) deltas[bytes++] = delta >> 8;
        deltas[bytes++] = delta;
        if (chunk + bytes > packet + 1200) break;
    }
    if (run) put16(chunk, status << 13 | run), chunk += 2;
    memcpy(chunk, deltas, bytes);
    int length = chunk + bytes - packet;
    while (length % 4) packet[length++] = 0;
    put32(packet, 0x8FCD0000 | (length / 4 - 1));
    put32(packet + 4, p->ssrc);
    put32(packet + 8, 0);
    put16(packet + 12, p->arrived[0]);
    put16(packet + 14, count);
    put32(packet + 16, (uint32_t)(base & 0xFFFFFF) << 8 | p->feedbacks++);
    p->arrivals = 0;
    if (!lib.protect_rtcp(p->tx, packet, &length)) transmit(p, packet, length);
}

static uint64_t arrival_ns(struct msghdr *m) {
    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c))
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
            struct timespec t;
            memcpy(&t, CMSG_DATA(c), sizeof t);
            return t.tv_sec * 1000000000ull + t.tv_nsec;
        }
    return 0;
}

struct tables {
    float *all, *audio; /* microseconds */
    uint64_t room;
};

static int drain(struct person *p, struct stream *streams, int count, struct outcome *out,
                 const struct tables *tables) {
    static uint8_t data[BATCH][PACKET];
    static union {
        char room[CMSG_SPACE(sizeof(struct timespec))];
        struct cmsghdr align;
    } control[BATCH];
    static struct mmsghdr m[BATCH];
    static struct iovec v[BATCH];
    int came = 0;
    for (;;) {
        for (int i = 0; i < BATCH; i++) {
            v[i] = (struct iovec){data[i], PACKET};
            m[i].msg_hdr = (struct msghdr){.msg_iov = &v[i],
                                           .msg_iovlen = 1,
                                           .msg_control = &control[i],
                                           .msg_controllen = sizeof control[i]};
        }
        int n = recvmmsg(p->fd, m, BATCH, MSG_DONTWAIT, 0);
        for (int i = 0; i < n; i++) {
            int size = m[i].msg_len;
            uint8_t *packet = data[i];
            if (size < 12 || packet[0] >> 6 != 2) continue;
            if (packet[1] >= 192 && packet[1] <= 223) {
                p->controls++;
                if (p->rx && !lib.unprotect_rtcp(p->rx, packet, &size))
                    obey(streams, count, packet, size, out);
                continue;
            }
            if (p->rx && lib.unprotect(p->rx, packet, &size)) {
                p->refused++, out->refused++;
                continue;
            }
            came++, p->received++, out->received++;
            int is_audio = (packet[1] & 0x7F) == OPUS;
            out->audio_received += is_audio;
            uint32_t ssrc = get32(packet + 8);
            int known = 0;
            for (int k = 0; k < p->sources && !known; k++) known = p->ssrcs[k] == ssrc;
            if (!known && p->sources < MAX_SSRCS) p->ssrcs[p->sources++] = ssrc;
            uint64_t left, arrived = arrival_ns(&m[i].msg_hdr);
            if (p->numbers_transport) note_arrival(p, packet, size, arrived);
            if (!p->rx || !arrived || !tables) continue;
            memcpy(&left, packet + size - 8, 8);
            float delay = (double)(int64_t)(arrived - left) / 1000;
            if (out->delays < tables->room) tables->all[out->delays++] = delay;
            if (is_audio && out->audio_delays < tables->room)
                tables->audio[out->audio_delays++] = delay;
        }
        if (n < BATCH) return came;
    }
}

static int watch(struct person *people, int count) {
    int poll = epoll_create1(0), on = 1;
    for (int i = 0; i < count; i++) {
        struct epoll_event e = {.events = EPOLLIN, .data.u32 = i};
        setsockopt(people[i].fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
        epoll_ctl(poll, EPOLL_CTL_ADD, people[i].fd, &e);
    }
    return poll;
}

static void sink(int *heap, int count, int at, const struct stream *s) {
    for (;;) {
        int least = 2 * at + 1;
        if (least >= count) return;
        if (least + 1 < count && s[heap[least + 1]].due < s[heap[least]].due) least++;
        if (s[heap[at]].due <= s[heap[least]].due) return;
        int other = heap[at];
        heap[at] = heap[least], heap[least] = other, at = least;
    }
}

/* Everybody at their own rates for so long. The tables take one delay for each packet that
   arrives, and once more for each of sound: from sendto() here until the server's copy is in
   the receiver's socket, by the kernel's own stamp. */
int load_run(struct person *people, int persons, struct stream *streams, int count, double for_s,
             float *all, float *audio, uint64_t room, struct outcome *out) {
    static int heap[MAX_STREAMS];
    struct tables tables = {all, audio, room};
    struct epoll_event events[64];
    if (count > MAX_STREAMS) return -1;
    memset(out, 0, sizeof *out);
    int poll = watch(people, persons);
    double begun = seconds(CLOCK_MONOTONIC), cpu = seconds(CLOCK_THREAD_CPUTIME_ID);
    double now = begun, end = begun + for_s, report = begun, feedback = begun;
    int reported = 0, answered = 0;
    for (int i = 0; i < count; i++) {
        /* Spread evenly and out of step: a golden ratio apart. */
        double phase = i * 0.6180339887;
        streams[i].due = begun + (phase - (int)phase) * streams[i].period_s;
        heap[i] = i;
    }
    for (int i = count / 2; i-- > 0;) sink(heap, count, i, streams);
    while (now < end) {
        for (int n = 0; n < 64 && streams[heap[0]].due <= now; n++) {
            struct stream *s = &streams[heap[0]];
            if (now - s->due > out->late_max_s) out->late_max_s = now - s->due;
            out->sent += send_frame(people, s);
            out->audio_sent += !s->is_video;
            s->due += s->period_s;
            sink(heap, count, 0, streams);
        }
        while (now >= report) {
            /* One sender report of each stream a second. */
            if (people[streams[reported].person].tx) send_report(people, &streams[reported]);
            reported = (reported + 1) % count, report += 1.0 / count;
        }
        while (now >= feedback) {
            /* Ten a second from each person, as Chromium does. */
            if (people[answered].tx) send_feedback(&people[answered]);
            answered = (answered + 1) % persons, feedback += 0.1 / persons;
        }
        double due = streams[heap[0]].due;
        if (report < due) due = report;
        if (feedback < due && people[answered].numbers_transport) due = feedback;
        if (end < due) due = end;
        double wait = due - seconds(CLOCK_MONOTONIC);
        struct timespec limit = {0, wait > 0 ? (long)(wait * 1e9) : 0};
        int n = epoll_pwait2(poll, events, 64, &limit, 0);
        for (int i = 0; i < n; i++)
            drain(&people[events[i].data.u32], streams, count, out, &tables);
        now = seconds(CLOCK_MONOTONIC);
    }
    usleep(20000);
    for (int i = 0; i < persons; i++) drain(&people[i], streams, count, out, &tables);
    out->took_s = seconds(CLOCK_MONOTONIC) - begun;
    out->cpu_s = seconds(CLOCK_THREAD_CPUTIME_ID) - cpu;
    close(poll);
    return 0;
}

/* Each stream sends a frame (of one packet), over and over; `copies` of each are expected, and
   at most `in_flight` awaited. */
int load_flood(struct person *people, int persons, struct stream *streams, int count, double for_s,
               int burst, int copies, uint64_t in_flight, struct outcome *out) {
    struct epoll_event events[64];
    memset(out, 0, sizeof *out);
    int poll = watch(people, persons);
    uint64_t lost = 0;
    double begun = seconds(CLOCK_MONOTONIC), cpu = seconds(CLOCK_THREAD_CPUTIME_ID);
    while (seconds(CLOCK_MONOTONIC) < begun + for_s) {
        for (int b = 0; b < burst; b++)
            for (int i = 0; i < count; i++) {
                struct stream *s = &streams[i];
                s->frames++;
                send_packet(people, s, s->frames * 3000, s->bytes, 1, 1, s->wants_key);
                s->wants_key = 0, out->sent++;
            }
        double news = seconds(CLOCK_MONOTONIC);
        while (out->sent * copies - out->received - lost >= in_flight) {
            int came = 0, n = epoll_wait(poll, events, 64, 1);
            for (int i = 0; i < n; i++)
                came += drain(&people[events[i].data.u32], streams, count, out, 0);
            double now = seconds(CLOCK_MONOTONIC);
            if (came) news = now;
            else if (now - news > 0.05) lost = out->sent * copies - out->received;
        }
    }
    usleep(50000);
    for (int i = 0; i < persons; i++) drain(&people[i], streams, count, out, 0);
    out->took_s = seconds(CLOCK_MONOTONIC) - begun;
    out->cpu_s = seconds(CLOCK_THREAD_CPUTIME_ID) - cpu;
    close(poll);
    return 0;
}

/* The way from sendto() to the receiver's socket without a server between: microseconds. */
int load_direct(int count, int bytes, float *delays) {
    static uint8_t packet[PACKET];
    struct sockaddr_in address = {.sin_family = AF_INET};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    int from = socket(AF_INET, SOCK_DGRAM, 0), on = 1, came = 0;
    int to = socket(AF_INET, SOCK_DGRAM, 0);
    if (bind(to, (void *)&address, length) || getsockname(to, (void *)&address, &length)) return -1;
    setsockopt(to, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
    for (int i = 0; i < count; i++) {
        union {
            char room[CMSG_SPACE(sizeof(struct timespec))];
            struct cmsghdr align;
        } control;
        struct iovec v = {packet, PACKET};
        struct msghdr m = {.msg_iov = &v,
                           .msg_iovlen = 1,
                           .msg_control = &control,
                           .msg_controllen = sizeof control};
        uint64_t left = wall_ns();
        if (sendto(from, packet, bytes, 0, (void *)&address, length) < 0) continue;
        if (recvmsg(to, &m, 0) < 0) continue;
        uint64_t arrived = arrival_ns(&m);
        if (arrived) delays[came++] = (double)(int64_t)(arrived - left) / 1000;
        usleep(500);
    }
    close(from), close(to);
    return came;
}
