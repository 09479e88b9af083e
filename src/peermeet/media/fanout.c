/* One packet to all who are shown it: what fanout.py does, compiled.

   For each viewer: the header, the payload, VP8's picture numbers, the transport-wide number,
   then libsrtp and the socket. It decides nothing: whatever is not the plain next packet of a
   stretch that is flowing (a key frame to wait for, another layer, a jump, an orientation, TCP)
   is left to seat.py, which has the rules. No allocation, no state of its own but what is not yet
   sent, so not for two threads. The structures are declared in fanout.h, which compiled.py reads as well. */

/* As libsrtp's srtp_protect; its address comes from the library that pylibsrtp brings. */
typedef int (*crypt_function)(void *session, void *packet, int *length);

enum {
    HEADER_BYTES = 12,
    TRANSPORT_SEQUENCE_AT = 17,
    TAG_BYTES = 16,
    TRAILER_BYTES = 144,
    BUFFER_BYTES = 2048
};

/* What is sealed and not yet sent. A copy wakes whoever waits for it, here or in the network card,
   so all that was read together is sealed before the first is sent. */
static struct {
    uint8_t bytes[MAX_UNSENT][BUFFER_BYTES] __attribute__((aligned(16)));
    struct mmsghdr messages[MAX_UNSENT];
    struct iovec parts[MAX_UNSENT];
    uint8_t addresses[MAX_UNSENT][28];
    int sockets[MAX_UNSENT];
    int64_t *counts[MAX_UNSENT];
    int count;
} unsent;

/* Send it; how many could not be sent. Each that could is counted. */
static int post(void) {
    int lost = 0;
    for (int at = 0; at < unsent.count;) {
        int end = at + 1;
        while (end < unsent.count && unsent.sockets[end] == unsent.sockets[at]) end++;
        int sent = sendmmsg(unsent.sockets[at], unsent.messages + at, (unsigned)(end - at), MSG_DONTWAIT);
        for (int i = 0; i < sent; i++) *unsent.counts[at + i] += 1;
        if (sent <= 0) lost++;
        at += sent > 0 ? sent : 1;
    }
    unsent.count = 0;
    return lost;
}

static void put16(uint8_t *at, uint64_t value) {
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static void put32(uint8_t *at, uint64_t value) {
    put16(at, value >> 16);
    put16(at + 2, value);
}

/* Whether this is the plain case; if so, the numbers of the writer move on. */
static int pass(writer *to, const media_packet *packet, double now) {
    int64_t sent = packet->sequence + to->sequence_offset;
    int64_t ahead = sent - to->last_sequence;
    if (ahead > MAX_JUMP) return LEFT;
    if (ahead > 0) {
        to->last_sequence = sent;
        to->last_timestamp = packet->timestamp;
        to->last_at = now;
        to->has_begun = 1;
        if (packet->is_picture) {
            to->last_picture = packet->picture_id;
            to->last_tl0 = packet->tl0;
            to->has_picture = 1;
            if (packet->key_frame) to->key_frame_passed = 1;
        }
    } else if (packet->sequence < to->first_in || ahead <= -HISTORY) {
        return DROPPED;
    }
    to->packets += 1;
    to->octets += packet->size;
    return SENT;
}

static void renumber(uint8_t *payload, const media_packet *packet, const writer *to) {
    uint64_t picture = (uint64_t)(packet->picture_id + to->picture_offset);
    if (packet->picture_id_bits == 15) {
        put16(payload + packet->picture_id_at, 0x8000 | (picture & 0x7FFF));
    } else if (packet->picture_id_bits == 7) {
        payload[packet->picture_id_at] = (uint8_t)(picture & 0x7F);
    }
    if (packet->tl0_at) payload[packet->tl0_at] = (uint8_t)(packet->tl0 + to->tl0_offset);
}

static int transport_sequence(path *by, int size, double now) {
    int64_t sequence = by->departures[0]++;
    int64_t slot = sequence & (by->slots - 1);
    by->sent_at[slot] = now;
    by->sizes[slot] = size;
    return (int)(sequence & 0xFFFF);
}

/* Where a packet for somebody is to be made, and then kept to be sent with the next `post`. */
static uint8_t *room(void) { return unsent.bytes[unsent.count]; }

static void keep(path *by, int size, int64_t *count) {
    struct iovec *part = &unsent.parts[unsent.count];
    *part = (struct iovec){room(), (size_t)size};
    memcpy(unsent.addresses[unsent.count], by->address, sizeof by->address);
    unsent.messages[unsent.count].msg_hdr = (struct msghdr){
        .msg_name = unsent.addresses[unsent.count], .msg_namelen = by->address_size,
        .msg_iov = part, .msg_iovlen = 1
    };
    unsent.sockets[unsent.count] = by->socket;
    unsent.counts[unsent.count++] = count;
}

/* Make the copy for one viewer and seal it, to be sent with the next `post`. */
static int make(
    crypt_function protect, writer *to, const media_packet *packet, const uint8_t *payload,
    double now, int64_t *count
) {
    path *by = to->by;
    int outcome = pass(to, packet, now);
    if (outcome != SENT) return outcome;
    uint8_t *out = room();
    int begin = HEADER_BYTES + to->head_size;
    int size = begin + packet->size;
    out[0] = to->head_size ? 0x90 : 0x80;
    out[1] = (uint8_t)(packet->marker | to->payload_type);
    put16(out + 2, (uint64_t)(packet->sequence + to->sequence_offset));
    put32(out + 4, (uint64_t)(packet->timestamp + to->timestamp_offset));
    put32(out + 8, to->ssrc);
    memcpy(out + HEADER_BYTES, to->head, to->head_size);
    memcpy(out + begin, payload, (size_t)packet->size);
    if (packet->is_picture) renumber(out + begin, packet, to);
    if (to->counts_transport)
        put16(out + TRANSPORT_SEQUENCE_AT, (uint64_t)transport_sequence(by, size, now));
    if (protect(by->session, out, &size)) return NOT_SEALED;
    keep(by, size, count);
    return SENT;
}

/* Make the copies of a packet; what became of each, and how many of each kind. */
static int show_all(
    crypt_function protect, writer **writers, int count, int64_t layer, const media_packet *packet,
    const uint8_t *payload, double now, int64_t *sent, uint8_t *outcomes, int *totals
) {
    int fits = packet->size >= 0 && packet->size <= BUFFER_BYTES - HEADER_BYTES - MAX_HEAD - TRAILER_BYTES;
    int lost = unsent.count + count > MAX_UNSENT ? post() : 0;
    memset(totals, 0, OUTCOMES * sizeof *totals);
    for (int i = 0; i < count; i++) {
        writer *to = writers[i];
        int outcome = LEFT;
        if (!to->by->session)
            outcome = DROPPED;
        else if (fits && to->layer == layer && !to->is_waiting && to->by->socket >= 0)
            outcome = make(protect, to, packet, payload, now, sent);
        outcomes[i] = (uint8_t)outcome;
        totals[outcome]++;
    }
    return lost;
}

int fan_out(
    void *protect, writer **writers, int count, int64_t layer, const media_packet *packet,
    const uint8_t *payload, double now, int64_t *sent, uint8_t *outcomes, int *totals
) {
    int lost = show_all((crypt_function)protect, writers, count, layer, packet, payload, now, sent, outcomes, totals);
    return lost + post();
}
