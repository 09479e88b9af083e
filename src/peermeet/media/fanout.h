/* What fanout.c, twcc.c, ingest.c and compiled.py share. Where there is a Python class of the
   same members, its docstrings say what they mean. */

/* What becomes of a copy. */
enum { SENT = 0, LEFT = 1, DROPPED = 2, NOT_SEALED = 3, OUTCOMES = 4 };

/* As in the Python modules; a test compares them. */
enum { MAX_JUMP = 1000, HISTORY = 1024, KEPT = 256, MAX_SPAN = 2048, BUSY_PACKETS = 8 };
enum { MAX_TOLD = 400, MAX_PACKETS = 4096, MAX_SSRCS = 16, MAX_DATAGRAM_BYTES = 1500 };

enum { MAX_HEAD = 40, MAX_VIEWERS = 64, MAX_UNSENT = 128, KEPT_BYTES = 1232 };
enum { BATCH = 64, DATAGRAM_BYTES = 2048, MAX_REPORTS = 8, BUCKETS = 256, MAX_SOCKETS = 16 };

/* ingest.MediaPacket without its payload. */
typedef struct {
    int64_t sequence, timestamp;
    int size, marker, is_picture, key_frame;
    int picture_id_at, picture_id_bits, picture_id, tl0_at, tl0;
} media_packet;

/* One of ingest.History. */
typedef struct {
    media_packet packet;
    uint8_t payload[KEPT_BYTES];
} kept_packet;

/* What Departures.conclude is told: `came` packets, and when the feedback came. */
typedef struct {
    int lost, total, size, came;
    int64_t begun, ended;
    double departed, delay_s, at;
} report;

typedef struct path path;

/* seat.State, by what it is sent, and the head of its packets. */
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

/* ingest.State, who is shown it, and whether it is forwarded (FanOut.settle). */
typedef struct {
    int64_t number, highest, received, octets, transit;
    double jitter, heard_at;
    int64_t *seen;
    kept_packet *kept;
    writer **writers;
    int count;
    int clock_rate_hz, orientation_id;
    uint32_t ssrc;
    uint8_t payload_type, is_video, marked, is_clear, key_frame_wanted, is_current, is_open;
} layer;

/* A person: where they are, their keys, and arrays of Peer, Departures, Arrivals and Agent. */
struct path {
    path *next;
    int64_t number;
    void *session, *incoming;
    int socket;
    uint32_t address_size;
    uint8_t address[28];
    int64_t *departures;
    double *sent_at;
    int32_t *sizes;
    int64_t slots;
    int64_t *clock;
    double *heard_at, *allowance, *controls;
    double control_rate;
    int64_t *counts;
    int transport_id;
    uint32_t ssrc;
    int64_t *arrival_numbers;
    double *arrivals, *busy_at;
    double delay_limit;
    report reports[MAX_REPORTS];
    int report_count;
    layer *sources[MAX_SSRCS];
    int source_count;
};

typedef struct {
    uint8_t bytes[DATAGRAM_BYTES];
    uint8_t address[28];
    uint32_t address_size;
    int size;
} datagram;

/* What more is to be done with a datagram: all of it, or what the loop has left. */
enum {
    SEALED = 1, UNAUTHENTIC = 2, NOT_VP8 = 4, UNMARKED = 8, REST = 16, KEY_FRAME = 32, WANTED = 64,
    BUSY = 128, FAILED = 256, CONTROL = 512, REPORT = 1024
};

/* What has been read and how far it has been forwarded, of all who are known by address. `time`
   is 0 or, in a test, what time it is; `lost` counts what could not be sent. */
typedef struct {
    void *protect, *unprotect, *protect_rtcp, *unprotect_rtcp;
    path *buckets[BUCKETS];
    int sockets[MAX_SOCKETS];
    int socket_count;
    int socket;
    int at, came;
    double time, now;
    int why;
    int64_t number;
    uint32_t ssrc;
    media_packet packet;
    int payload_at;
    uint8_t outcomes[MAX_VIEWERS];
    int totals[OUTCOMES];
    int64_t lost;
    datagram batch[BATCH];
} desk;

int fan_out(
    void *protect, writer **writers, int count, int64_t layer, const media_packet *packet,
    const uint8_t *payload, double now, int64_t *sent, uint8_t *outcomes, int *totals
);
void enter(desk *to, path *who);
void leave(desk *from, path *who);
int gather(desk *to, int socket);
int forward(desk *from);
void finish(desk *of);
int tell(desk *from, path *who, double now);
void flush(desk *from);
int serve(desk *in, int poll, int timeout_ms);
