/* One packet to all who are shown it: what fanout.py does, compiled.

   For each viewer: the header, the payload, VP8's picture numbers, the transport-wide number,
   then libsrtp and the socket. It decides nothing: whatever is not the plain next packet of a
   stretch that is flowing (a key frame to wait for, another layer, a jump, an orientation, TCP)
   is left to seat.py, which has the rules. No allocation, no state of its own but one buffer, so
   not for two threads. The structures are declared in fanout.h, which fast.py reads as well. */

#include <string.h>
#include <sys/socket.h>

/* As libsrtp's srtp_protect; its address comes from the library that pylibsrtp brings. */
typedef int (*protect_function)(void *session, void *packet, int *length);

enum {
    HEADER_BYTES = 12,
    TRANSPORT_SEQUENCE_AT = 17,
    TRAILER_BYTES = 144,
    BUFFER_BYTES = 2048
};

static uint8_t out[BUFFER_BYTES] __attribute__((aligned(16)));

static void put16(uint8_t *at, uint64_t value) {
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static void put32(uint8_t *at, uint64_t value) {
    put16(at, value >> 16);
    put16(at + 2, value);
}

/* Whether this is the plain case; if so, the numbers of the writer move on. */
static int take(writer *to, const media_packet *packet, double now) {
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

static int send_one(
    protect_function protect, writer *to, const media_packet *packet, const uint8_t *payload,
    double now
) {
    path *by = to->by;
    int taken = take(to, packet, now);
    if (taken != SENT) return taken;
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
    ssize_t gone = sendto(
        by->socket, out, (size_t)size, MSG_DONTWAIT, (const struct sockaddr *)by->address,
        by->address_size
    );
    return gone < 0 ? NOT_SENT : SENT;
}

void fan_out(
    void *protect, writer **writers, int count, int64_t layer, const media_packet *packet,
    const uint8_t *payload, double now, uint8_t *outcomes, int *totals
) {
    memset(totals, 0, OUTCOMES * sizeof *totals);
    int fits = packet->size >= 0 && packet->size <= BUFFER_BYTES - HEADER_BYTES - MAX_HEAD - TRAILER_BYTES;
    for (int i = 0; i < count; i++) {
        writer *to = writers[i];
        int outcome = LEFT;
        if (!to->by->session)
            outcome = DROPPED;
        else if (fits && to->layer == layer && !to->is_waiting && to->by->socket >= 0)
            outcome = send_one((protect_function)protect, to, packet, payload, now);
        outcomes[i] = (uint8_t)outcome;
        totals[outcome]++;
    }
}
