/* From a socket to everybody who is shown a packet: what mux.py, peer.py and ingest.py do, compiled.

   Like fanout.c it takes the plain case, the next packet of a source that flows, and leaves the
   rest: what is not SRTP of a known source from where its person is, and whatever its header (in
   clear, and authentic if the packet opens) says beyond the next number. Such a datagram is not
   touched, so that there is one set of rules. No allocation, and no state but what it is given. */

#define UNTOLD (-1)

/* Ports spread well enough; a bucket is a list. */
static path **bucket(desk *in, const uint8_t *address) { return &in->buckets[address[2] ^ address[3]]; }

void enter(desk *to, path *who) {
    path **head = bucket(to, who->address);
    who->next = *head;
    *head = who;
}

void leave(desk *from, path *who) {
    path **at = bucket(from, who->address);
    while (*at && *at != who) at = &(*at)->next;
    if (*at) *at = who->next;
    who->next = NULL;
}

/* Monotonic seconds; a test says what time it is. */
static double clock_s(const desk *of) {
    struct timespec now;
    if (of->time > 0) return of->time;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* Read what waits at a socket, to be forwarded; -1 if it is broken. */
int gather(desk *to, int socket) {
    struct mmsghdr messages[BATCH];
    struct iovec parts[BATCH];
    for (int i = 0; i < BATCH; i++) {
        datagram *slot = &to->batch[i];
        parts[i] = (struct iovec){slot->bytes, DATAGRAM_BYTES};
        messages[i].msg_hdr = (struct msghdr){
            .msg_name = slot->address, .msg_namelen = sizeof slot->address, .msg_iov = &parts[i], .msg_iovlen = 1
        };
    }
    int came = recvmmsg(socket, messages, BATCH, MSG_DONTWAIT, NULL);
    to->socket = socket;
    to->at = to->came = to->why = 0;
    to->now = clock_s(to);
    if (came < 0) return errno == EAGAIN || errno == EINTR ? 0 : -1;
    for (int i = 0; i < came; i++) {
        to->batch[i].size = (int)messages[i].msg_len;
        to->batch[i].address_size = messages[i].msg_hdr.msg_namelen;
    }
    to->came = came;
    return 0;
}

static path *person(desk *in, const datagram *came) {
    path *who = *bucket(in, came->address);
    while (who && (who->socket != in->socket || who->address_size != came->address_size ||
                   memcmp(who->address, came->address, who->address_size)))
        who = who->next;
    return who;
}

static layer *source(const path *who, uint32_t ssrc) {
    for (int i = 0; i < who->source_count; i++)
        if (who->sources[i]->ssrc == ssrc) return who->sources[i];
    return NULL;
}

/* Where the payload begins, and the transport-wide number or UNTOLD; 0 if not plain. */
static int payload_at(const path *who, const layer *of, const uint8_t *bytes, int size, int *number) {
    int at = 12 + 4 * (bytes[0] & 15);
    *number = UNTOLD;
    if (bytes[0] & 0x20 || at + 4 > size) return 0;
    if (!(bytes[0] & 0x10)) return at;
    int end = at + 4 + 4 * get16(bytes + at + 2);
    if (get16(bytes + at) != 0xBEDE || end > size) return 0;
    for (at += 4; at < end;) {
        int id = bytes[at] >> 4, length = (bytes[at] & 15) + 1;
        if (!bytes[at++]) continue;
        if (id == 15 || at + length > end || (of->is_video && id == of->orientation_id)) return 0;
        if (id && id == who->transport_id && *number == UNTOLD) {
            if (length != 2) return 0;
            *number = get16(bytes + at);
        }
        at += length;
    }
    return end;
}

static int may_send(const path *who, int size) { return who->allowance[0] >= 1 && who->allowance[1] >= size; }

/* Whether the header is that of the next packet, and the person may send it. */
static int is_plain(const path *who, const layer *of, const uint8_t *bytes, int size, int *begin, int *number) {
    if (!of->is_current || of->highest < 0 || (bytes[1] & 0x7F) != of->payload_type) return 0;
    if (get16(bytes + 2) != ((of->highest + 1) & 0xFFFF)) return 0;
    if (!may_send(who, size) || (of->is_open && of->is_video && !of->kept)) return 0;
    *begin = payload_at(who, of, bytes, size, number);
    if (!*begin || *begin + TAG_BYTES > size || size - *begin > KEPT_BYTES) return 0;
    if (*number == UNTOLD) return 1;
    int64_t next = who->arrival_numbers[HIGHEST] + 1;
    return next > 0 && *number == (next & 0xFFFF) && next - who->arrival_numbers[FIRST] < MAX_SPAN;
}

/* As Layer.take does for the next number (RFC 3550 appendix A.8). */
static void count(layer *of, const media_packet *packet, double now) {
    of->highest = packet->sequence;
    of->seen[packet->sequence % HISTORY] = packet->sequence;
    of->heard_at = now;
    of->octets += packet->size;
    of->received += 1;
    int64_t transit = (int64_t)(now * of->clock_rate_hz) - packet->timestamp;
    uint32_t wander = (uint32_t)(transit - of->transit);
    of->transit = transit;
    if (wander > 0x7FFFFFFF) wander = -wander;
    of->jitter += (wander - of->jitter) / 16;
}

/* As vp8.parse; whether it can be VP8. */
static int describe(media_packet *packet, const uint8_t *payload) {
    const uint8_t *at = payload, *end = payload + packet->size;
    int first = *at++;
    if (first & 0x80) {
        if (at >= end) return 0;
        int fields = *at++;
        if (fields & 0x80) {
            if (at + 1 >= end) return 0;
            packet->picture_id_at = (int)(at - payload);
            packet->picture_id_bits = *at & 0x80 ? 15 : 7;
            packet->picture_id = *at & 0x80 ? get16(at) & 0x7FFF : *at;
            at += *at & 0x80 ? 2 : 1;
        }
        if (fields & 0x40) {
            if (at >= end) return 0;
            packet->tl0_at = (int)(at - payload);
            packet->tl0 = *at++;
        }
        if (fields & 0x30) at++;
    }
    if (at >= end) return 0;
    packet->is_picture = 1;
    if ((first & 0x17) != 0x10) return 1;
    if ((*at >> 1 & 7) > 3) return 0;
    if (*at & 1) return 1;
    packet->key_frame = 1;
    return at + 10 <= end && at[3] == 0x9D && at[4] == 0x01 && at[5] == 0x2A;
}

/* As Layer._in_clear. */
static int in_clear(layer *of, const media_packet *packet, const uint8_t *payload) {
    static const uint8_t mark[] = {0x50, 0x4D, 0xE2, 0xEE};
    int size = packet->size, was_clear = of->is_clear;
    int is_clear = size < 4 || memcmp(payload + size - 4, mark, 4);
    if (!of->is_video) return is_clear;
    if (!packet->marker) return was_clear;
    of->is_clear = (uint8_t)is_clear;
    if (was_clear && !is_clear) of->key_frame_wanted = 1;
    return was_clear || is_clear;
}

/* What is still to be done about an authentic packet that has been counted. */
static int show(desk *from, path *who, layer *of, media_packet *packet, const uint8_t *payload, double now) {
    if (!of->is_open) return 0;
    if (of->marked && in_clear(of, packet, payload)) return UNMARKED;
    if (of->is_video) {
        if (packet->size && !describe(packet, payload)) return NOT_VP8;
        if (packet->key_frame) of->key_frame_wanted = 0;
        kept_packet *slot = &of->kept[packet->sequence % KEPT];
        slot->packet = *packet;
        memcpy(slot->payload, payload, (size_t)packet->size);
    }
    from->lost += show_all(
        (crypt_function)from->protect, of->writers, of->count, of->number, packet, payload, now,
        &who->counts[1], from->outcomes, from->totals
    );
    return (from->totals[LEFT] ? REST : 0) | (packet->key_frame ? KEY_FRAME : 0) |
           (of->key_frame_wanted ? WANTED : 0) |
           (from->totals[NOT_SEALED] ? FAILED : 0);
}

static void pay(path *who, int size) {
    who->allowance[0] -= 1;
    who->allowance[1] -= size;
}

/* What a person says of what they receive. Only one feedback alone is read here. */
static int take_control(desk *from, path *who, datagram *came, double now) {
    enum { NAMED_PER_CONTROL = 64 };
    double *tokens = who->controls, left = tokens[0] + (now - tokens[1]) * who->control_rate;
    if (left > who->control_rate) left = who->control_rate;
    if (!may_send(who, came->size) || left < 1 || who->report_count == MAX_REPORTS) return SEALED;
    pay(who, came->size);
    tokens[0] = left - 1;
    tokens[1] = now;
    from->number = who->number;
    from->ssrc = 0;
    if (((crypt_function)from->unprotect_rtcp)(who->incoming, came->bytes, &came->size)) return UNAUTHENTIC;
    *who->heard_at = now;
    int count = acknowledge(who, came->bytes, came->size, now);
    tokens[0] -= (double)count / NAMED_PER_CONTROL;
    return !count ? CONTROL : is_calm(who) ? 0 : REPORT;
}

static int take(desk *from, datagram *came, double now) {
    uint8_t *bytes = came->bytes;
    int size = came->size, begin, number;
    if (size < 12 || size > MAX_DATAGRAM_BYTES || bytes[0] >> 6 != 2) return SEALED;
    path *who = person(from, came);
    if (!who) return SEALED;
    if (bytes[1] >= 192 && bytes[1] <= 223) return take_control(from, who, came, now);
    layer *of = source(who, get32(bytes + 8));
    if (!of || !is_plain(who, of, bytes, size, &begin, &number)) return SEALED;
    from->number = who->number;
    from->ssrc = of->ssrc;
    pay(who, size);
    if (((crypt_function)from->unprotect)(who->incoming, bytes, &size)) return UNAUTHENTIC;
    who->counts[0] += 1;
    *who->heard_at = now;
    if (number != UNTOLD) {
        int64_t next = who->arrival_numbers[HIGHEST] += 1;
        who->arrivals[next % MAX_SPAN] = now;
    }
    media_packet *packet = &from->packet;
    *packet = (media_packet){
        .sequence = of->highest + 1, .timestamp = get32(bytes + 4), .size = size - begin, .marker = bytes[1] & 0x80
    };
    from->payload_at = begin;
    count(of, packet, now);
    int why = show(from, who, of, packet, bytes + begin, now);
    if (is_busy(who, now) && !tell(from, who, now)) why |= BUSY;
    return why;
}

/* Forward what was gathered; whether one, at `at`, needs more (`why` tells what). It then stands
   there until `finish`. */
int forward(desk *from) {
    for (; from->at < from->came; from->at++) {
        if (!from->why) from->why = take(from, &from->batch[from->at], from->now);
        if (from->why) break;
    }
    from->lost += post();
    return from->at < from->came;
}

void finish(desk *of) {
    of->at++;
    of->why = 0;
}

static int is_ours(const desk *in, int socket) {
    for (int i = 0; i < in->socket_count; i++)
        if (in->sockets[i] == socket) return 1;
    return 0;
}

/* Wait as epoll does (-1: for ever), and forward meanwhile; whether there is anything else to do.
   What was gathered and needs more stands at the desk. */
int serve(desk *in, int poll, int timeout_ms) {
    double until = clock_s(in) + timeout_ms * 1e-3;
    struct epoll_event events[MAX_SOCKETS];
    for (;;) {
        if (in->at < in->came) return 1;
        int ready = epoll_wait(poll, events, MAX_SOCKETS, timeout_ms);
        if (ready <= 0) return 0;
        for (int i = 0; i < ready; i++) {
            if (events[i].events != EPOLLIN || !is_ours(in, events[i].data.fd)) return 1;
            if (gather(in, events[i].data.fd) || forward(in)) return 1;
        }
        if (timeout_ms < 0) continue;
        double left = until - in->now;
        if (left <= 0) return 0;
        timeout_ms = (int)(left * 1e3) + 1;
    }
}
