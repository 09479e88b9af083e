enum { SENT = 0, LEFT = 1, DROPPED = 2, NOT_SEALED = 3, NOT_SENT = 4, OUTCOMES = 5 };
enum { MAX_HEAD = 40, MAX_JUMP = 1000, HISTORY = 1024 };

typedef struct {
    void *session;
    int socket;
    uint32_t address_size;
    uint8_t address[28];
    int64_t *departures;
    double *sent_at;
    int32_t *sizes;
    int64_t slots;
} path;

typedef struct {
    path *by;
    int64_t layer;
    int64_t sequence_offset, timestamp_offset, picture_offset, tl0_offset;
    int64_t first_in, last_sequence, last_timestamp, last_picture, last_tl0;
    int64_t packets, octets;
    double last_at;
    uint32_t ssrc;
    uint8_t payload_type, is_waiting, counts_transport, has_begun, has_picture, key_frame_passed;
    uint8_t head_size, head[MAX_HEAD];
} writer;

typedef struct {
    int64_t sequence, timestamp;
    int size, marker, is_picture, key_frame;
    int picture_id_at, picture_id_bits, picture_id, tl0_at, tl0;
} media_packet;

void fan_out(
    void *protect, writer **writers, int count, int64_t layer, const media_packet *packet,
    const uint8_t *payload, double now, uint8_t *outcomes, int *totals
);
