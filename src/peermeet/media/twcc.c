/* Transport-wide numbers: what twcc.py and feedback.py do, compiled, for the plain case.

   `tell` makes the feedback of one datagram whose arrivals all fit; `acknowledge` reads a compound
   that is one feedback and nothing else. What is not plain is left, untouched, to Python. */

enum { REFERENCE_TICKS = 256 };
enum { FIRST, HIGHEST, NEXT, KEPT_FROM, COUNT };
enum { ANSWERED, REFERENCE, CLOCK };
enum { MISSING, SMALL, LARGE };

static const double TICK_S = 0.00025, INTERVAL_S = 0.09, BUSY_INTERVAL_S = 0.05, REMEMBERED_S = 0.5;

static int get16(const uint8_t *at) { return at[0] << 8 | at[1]; }
static uint32_t get32(const uint8_t *at) { return (uint32_t)get16(at) << 16 | (uint32_t)get16(at + 2); }

/* As feedback._chunks; where the chunks end. */
static uint8_t *put_chunks(uint8_t *out, const uint8_t *statuses, int count) {
    for (int at = 0; at < count;) {
        int run = 1, most = count - at < 14 ? count - at : 14, bits = 1;
        while (at + run < count && statuses[at + run] == statuses[at]) run++;
        if (memchr(statuses + at, LARGE, (size_t)most)) bits = 2, most = most < 7 ? most : 7;
        unsigned chunk = (unsigned)statuses[at] << 13 | (unsigned)run;
        if (run < most) {
            chunk = bits == 2 ? 0xC000 : 0x8000;
            for (int i = 0; i < most; i++) chunk |= (unsigned)statuses[at + i] << (14 - bits * (i + 1));
            run = most;
        }
        put16(out, chunk);
        out += 2, at += run;
    }
    return out;
}

/* As Arrivals.feedback after an empty receiver report; its size, or 0 if it is not plain. */
static int put_feedback(uint8_t *out, const path *who) {
    const int64_t *numbers = who->arrival_numbers;
    int64_t first = numbers[FIRST], base = -1, before = 0;
    int count = (int)(numbers[HIGHEST] - first) + 1;
    uint8_t statuses[MAX_TOLD], deltas[2 * MAX_TOLD], *delta = deltas;
    if (count > MAX_TOLD || !who->source_count) return 0;
    for (int i = 0; i < count; i++) {
        double came = who->arrivals[(first + i) % MAX_SPAN];
        statuses[i] = MISSING;
        if (came == 0.0) continue;
        int64_t ticks = (int64_t)(came / TICK_S);
        if (base < 0) base = ticks / REFERENCE_TICKS, before = base * REFERENCE_TICKS;
        int64_t step = ticks - before;
        if (step < -0x8000 || step > 0x7FFF) return 0;
        statuses[i] = step >= 0 && step <= 0xFF ? SMALL : LARGE;
        if (statuses[i] == LARGE) *delta++ = (uint8_t)(step >> 8);
        *delta++ = (uint8_t)step;
        before = ticks;
    }
    put32(out, 0x80C90001);
    put32(out + 4, who->ssrc);
    uint8_t *told = out + 8;
    put32(told + 4, who->ssrc);
    put32(told + 8, who->sources[0]->ssrc);
    put16(told + 12, (uint64_t)first & 0xFFFF);
    put16(told + 14, (uint64_t)count);
    put32(told + 16, (uint32_t)(base & 0xFFFFFF) << 8 | (uint32_t)numbers[COUNT]);
    uint8_t *end = put_chunks(told + 20, statuses, count);
    memcpy(end, deltas, (size_t)(delta - deltas));
    end += delta - deltas;
    int padding = -(int)(end - told) & 3;
    memset(end, 0, (size_t)padding);
    end += padding;
    if (padding) end[-1] = (uint8_t)padding;
    put32(told, (padding ? 0xAFCD0000u : 0x8FCD0000u) | ((uint32_t)(end - told) / 4 - 1));
    return (int)(end - out);
}

static int is_busy(const path *who, double now) {
    const int64_t *numbers = who->arrival_numbers;
    return now >= *who->busy_at && numbers[HIGHEST] - numbers[FIRST] >= BUSY_PACKETS - 1;
}

/* Make feedback if it is due, to be sent with the next `post`; whether that is done with. */
int tell(desk *from, path *who, double now) {
    static int64_t told;
    int64_t *numbers = who->arrival_numbers;
    if (numbers[HIGHEST] < numbers[NEXT] && numbers[FIRST] >= numbers[NEXT]) return 1;
    if (now < *who->busy_at + (INTERVAL_S - BUSY_INTERVAL_S) && !is_busy(who, now)) return 1;
    if (!who->session || who->socket < 0) return 0;
    if (unsent.count == MAX_UNSENT) from->lost += post();
    uint8_t *out = room();
    int size = put_feedback(out, who);
    if (!size || ((crypt_function)from->protect_rtcp)(who->session, out, &size)) return 0;
    keep(who, size, &told);
    numbers[FIRST] = numbers[NEXT] = numbers[HIGHEST] + 1;
    numbers[COUNT] = (numbers[COUNT] + 1) & 0xFF;
    *who->busy_at = now + BUSY_INTERVAL_S;
    while (numbers[KEPT_FROM] < numbers[NEXT] &&
           who->arrivals[numbers[KEPT_FROM] % MAX_SPAN] <= now - REMEMBERED_S)
        numbers[KEPT_FROM]++;
    return 1;
}

static int32_t ticks[MAX_PACKETS];
static const int32_t NOT_COME = INT32_MIN;

/* As feedback.read of a whole compound, into `ticks`; how many packets, or 0 if it is not plain. */
static int read_feedback(const uint8_t *bytes, int size) {
    if (size < 20 || size % 4 || (bytes[0] & 0xDF) != 0x8F || bytes[1] != 205 || get16(bytes + 2) != size / 4 - 1)
        return 0;
    const uint8_t *at = bytes + 20, *end = bytes + size;
    if (bytes[0] & 0x20) {
        if (!end[-1] || end[-1] > size - 20) return 0;
        end -= end[-1];
    }
    int count = get16(bytes + 14), told = 0;
    if (!count || count > MAX_PACKETS) return 0;
    while (told < count) {
        if (end - at < 2) return 0;
        int chunk = get16(at), left = count - told, most, bits;
        at += 2;
        if (!(chunk & 0x8000)) {
            most = (chunk & 0x1FFF) < left ? chunk & 0x1FFF : left;
            for (int i = 0; i < most; i++) ticks[told++] = chunk >> 13;
            continue;
        }
        bits = chunk & 0x4000 ? 2 : 1;
        most = 14 / bits < left ? 14 / bits : left;
        for (int i = 1; i <= most; i++) ticks[told++] = chunk >> (14 - bits * i) & (bits == 2 ? 3 : 1);
    }
    int32_t now = 0;
    for (int i = 0; i < count; i++) {
        int status = ticks[i];
        if (status > LARGE || end - at < status) return 0;
        if (status == SMALL) now += *at;
        if (status == LARGE) now += (int16_t)get16(at);
        at += status;
        ticks[i] = status == MISSING ? NOT_COME : now;
    }
    return count;
}

static int by_size(const void *one, const void *other) {
    double a = *(const double *)one, b = *(const double *)other;
    return (a > b) - (a < b);
}

static double median(double *values, int count) {
    qsort(values, (size_t)count, sizeof *values, by_size);
    return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

static int64_t advance(int64_t *clock, int64_t reference) {
    if (clock[REFERENCE] >= 0) {
        int64_t moved = ((reference - clock[REFERENCE] + 0x800000) & 0xFFFFFF) - 0x800000;
        clock[CLOCK] += moved * REFERENCE_TICKS;
    }
    clock[REFERENCE] = reference;
    return clock[CLOCK];
}

/* As Departures.acknowledge; how many packets it told of, or 0 if it is not plain. */
static int acknowledge(path *who, const uint8_t *bytes, int size, double now) {
    static double delays[MAX_PACKETS];
    int count = read_feedback(bytes, size);
    if (!count) return 0;
    int64_t next = who->departures[0], first = next - 1 - ((next - 1 - get16(bytes + 12)) & 0xFFFF);
    int64_t oldest = next - who->slots > who->slots ? next - who->slots : who->slots;
    int64_t clock = advance(who->clock, get32(bytes + 16) >> 8);
    report *told = &who->reports[who->report_count++];
    *told = (report){.begun = clock, .ended = clock, .at = now};
    for (int i = 0; i < count && first + i < next; i++) {
        if (first + i < oldest) continue;
        int64_t slot = (first + i) & (who->slots - 1);
        int32_t sent = who->sizes[slot];
        if (!sent) continue;
        told->total += sent > 0;
        if (ticks[i] == NOT_COME) {
            told->lost += sent > 0;
            who->sizes[slot] = sent > 0 ? -sent : sent;
            continue;
        }
        told->lost -= sent < 0;
        who->sizes[slot] = 0;
        int64_t came = ticks[i] + clock;
        if (!told->came || came < told->begun) told->begun = came;
        if (!told->came || came > told->ended) told->ended = came;
        told->size += sent > 0 ? sent : -sent;
        told->departed = who->sent_at[slot];
        delays[told->came++] = (double)came * TICK_S - told->departed;
    }
    int64_t until = first + count < next ? first + count : next;
    if (until > who->clock[ANSWERED]) who->clock[ANSWERED] = until;
    if (told->came) told->delay_s = median(delays, told->came);
    return count;
}

/* Whether the last report says what can wait for the next tick: nothing is lost, nothing waits. */
static int is_calm(const path *who) {
    const report *told = &who->reports[who->report_count - 1];
    return told->came && told->lost <= 0 && told->delay_s <= who->delay_limit && who->report_count < MAX_REPORTS;
}

void flush(desk *from) { from->lost += post(); }
