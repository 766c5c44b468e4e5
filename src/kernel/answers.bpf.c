/*
 * Answers DNS queries where their packets arrive, from the answer table of src/fastpath (table-layout.ts has its
 * layout). What it is not sure of goes on its way to the server. No pointers into packets: headers are loaded, changed
 * and stored, the question stays where it is.
 */
typedef unsigned char __u8;
typedef unsigned short __u16;
typedef unsigned int __u32;
typedef int __s32;
typedef unsigned long long __u64;
typedef long long __s64;

/* What the kernel shows of a packet, as far as it is used here (linux/bpf.h). */
struct __sk_buff {
  __u32 len, pkt_type, mark, queue_mapping, protocol, vlan_present, vlan_tci, vlan_proto, priority, ingress_ifindex;
  __u32 ifindex, unused[33];
  __u32 gso_size;
};
struct xdp_md { __u32 data, data_end, data_meta, ingress_ifindex, rx_queue, egress_ifindex; };
#define BPF_F_PSEUDO_HDR (1ull << 4)
#define BPF_F_MARK_MANGLED_0 (1ull << 5)

#define SEC(name) __attribute__((section(name), used))
#define inline inline __attribute__((always_inline))
#define htons(x) __builtin_bswap16(x)
#define htonl(x) __builtin_bswap32(x)
/* A number as the verifier can follow it through calls: 1 to the mask plus 1. */
#define BOUND(x, mask) asm volatile("%0 += -1\n%0 &= " #mask "\n%0 += 1" : "+r"(x))
/* A number of no more than the mask. */
#define WITHIN(x, mask) asm volatile("%0 &= " #mask : "+r"(x))

static void *(*map_lookup)(void *map, const void *key) = (void *)1;
static long (*map_update)(void *map, const void *key, const void *value, __u64 flags) = (void *)2;
static __u64 (*ktime)(void) = (void *)5;
static long (*skb_load)(const void *skb, __u32 at, void *to, __u32 len) = (void *)26;
static long (*skb_store)(void *skb, __u32 at, const void *from, __u32 len, __u64 flags) = (void *)9;
static long (*skb_resize)(void *skb, __u32 len, __u64 flags) = (void *)38;
static __s64 (*csum_diff)(void *from, __u32 from_size, void *to, __u32 to_size, __u32 seed) = (void *)28;
static long (*l4_csum)(void *skb, __u32 at, __u64 from, __u64 to, __u64 flags) = (void *)11;
static long (*redirect)(__u32 ifindex, __u64 flags) = (void *)23;
static long (*tail_call)(void *ctx, void *programs, __u32 number) = (void *)12;
static long (*xdp_move_head)(void *xdp, __s32 by) = (void *)44;
static long (*xdp_move_tail)(void *xdp, __s32 by) = (void *)65;
static __u64 (*xdp_length)(void *xdp) = (void *)188;
static long (*xdp_load)(void *xdp, __u32 at, void *to, __u32 len) = (void *)189;
static long (*xdp_store)(void *xdp, __u32 at, const void *from, __u32 len) = (void *)190;

/* The loader makes the maps and puts them in the place of these names. */
struct map { __u32 unused; };
struct map control SEC("maps");   /* array of one: the control page */
struct map indexes SEC("maps");     /* array of maps: at 0 the index in use, an array of sets */
struct map segments SEC("maps");  /* array of maps: arrays of 16 slabs */
struct map listening SEC("maps"); /* hash: struct address to number of the listening address */
struct map counters SEC("maps");  /* per-CPU array of counters, by reason */
struct map clients SEC("maps");   /* hash that forgets the oldest: address to struct bucket */
struct map scratch SEC("maps");   /* per-CPU array of one: struct work */
struct map devices SEC("maps");   /* hash: number of a device to its address */
struct map answering SEC("maps"); /* array of programs: at 0 the one that answers, as long as its server lives */

/* Why a packet went up to the server, and what became of the others; kernel-counters.ts has the same order. */
enum reason { ANSWERED, OTHER_ADDRESS, FRAGMENT_OR_OPTIONS, CHECKSUM, FORM, LONG_NAME, BY_NETWORK, UNKNOWN, BUSY, EXPIRED,
  SPELLING, LONG_ANSWER, FAILED, RESPONSE, RUNT, LIMITED, NOTED, REASONS };

struct address { __u8 ip[16]; __u16 port; __u16 zero; };
struct control_page { __u32 seed[2]; __u32 mask; __u32 pool; __u32 limit; __u32 unused[11]; __u32 networks[256]; };
struct bucket { __u64 filled; __u64 left; };
struct way { __u32 hash; __u32 unit; };
struct set { struct way ways[16]; };
struct entry {
  __u32 sequence, hash; __u16 key_length, length; __u16 flags, marks; __u16 answers, authorities;
  __u16 additional, rotating; __s32 ttl; __u16 ttls, owners; __u16 rotation_start, rotation_size; __u32 turn;
  __u64 until, stored; __u32 hits, hits_edns;
};
struct eth { __u8 to[6], from[6]; __u16 type; } __attribute__((packed));
struct ip4 { __u8 version, tos; __u16 length, id, fragment; __u8 ttl, protocol; __u16 check; __u32 from, to; };
struct ip6 { __u32 version; __u16 length; __u8 next, hops; __u32 from[4], to[4]; };
struct udp { __u16 from, to, length, check; };
struct dns { __u16 id; __u8 high, low; __u16 counts[4]; };

/* What becomes of a packet (linux/pkt_cls.h): other programs see it after this one, or nobody. */
#define NEXT -1
#define DROP 2
/* Back out of the device, which XDP is told by what it returns. */
#define SENT 1
#define XDP_DROP 1
#define XDP_PASS 2
#define XDP_TX 3

#define MAX_NAME 128
#define KEY_WORDS (2 + MAX_NAME / 4)
#define ENTRY 512
/* Of an entry: it is right for every spelling; somebody wants to know of each query that it is given to. */
#define MARK_SPELLING 1
#define MARK_NOTED 2
struct work {
  __u16 pad; __u8 head[78];
  __u32 key[KEY_WORDS + 4];
  union { __u64 words[ENTRY / 8]; __u8 bytes[1088]; struct entry entry; } found;
  __u8 tail[1040];
  __u32 old_dns[3];
};

static inline int pass(enum reason reason) {
  __u32 key = reason;
  __u64 *count = map_lookup(&counters, &key);
  if (count) *count += 1;
  return NEXT;
}

static inline int drop(enum reason reason) {
  pass(reason);
  return DROP;
}

/* Whether a client has asked more than so many queries a second: a bucket that fills again, and holds those of one. */
static inline int too_many(const __u8 *ip, __u32 limit) {
  __u64 now = ktime();
  struct bucket *bucket = map_lookup(&clients, ip);
  if (!bucket) {
    struct bucket full = {now, limit - 1};
    map_update(&clients, ip, &full, 0);
    return 0;
  }
  __u64 since = now - bucket->filled, left = bucket->left;
  if (since > 1000000000) since = 1000000000;
  __u64 more = since * limit / 1000000000;
  if (more > 0) {
    left += more;
    if (left > limit) left = limit;
    bucket->filled = now;
  }
  if (left == 0) return 1;
  bucket->left = left - 1;
  return 0;
}

static inline __u32 rol(__u32 x, int by) { return (x << by) | (x >> (32 - by)); }

static inline __u32 fold(__u64 sum) {
  sum = (sum & 0xffffffff) + (sum >> 32);
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  return sum;
}

/* HalfSipHash-1-3, as fastpath/key-hash.ts. */
static inline __u32 hash_key(const __u32 *words, __u32 count, const __u32 *seed) {
  __u32 a = seed[0], b = seed[1], c = seed[0] ^ 0x6c796765, d = seed[1] ^ 0x74656462;
#define ROUND(word) d ^= (word); a += b; b = rol(b, 5) ^ a; a = rol(a, 16); c += d; d = rol(d, 8) ^ c; \
  a += d; d = rol(d, 7) ^ a; c += b; b = rol(b, 13) ^ c; c = rol(c, 16); a ^= (word);
#pragma unroll
  for (int i = 0; i < KEY_WORDS; i += 2) {
    if (i < count) {
      ROUND(words[i])
      ROUND(words[i + 1])
    }
  }
  ROUND(count)
  c ^= 0xff;
  ROUND(0) ROUND(0) ROUND(0)
  return (b ^ d) ? b ^ d : 1;
}

/* Makes capitals small, eight letters at a time; whether there were some. */
static inline int lower(__u64 *words, __u32 count) {
  __u64 changed = 0;
#pragma unroll
  for (int i = 0; i < MAX_NAME / 8; i++) {
    if (i < count) {
      __u64 w = words[i], x = w & 0x7f7f7f7f7f7f7f7full;
      __u64 up = (x + 0x3f3f3f3f3f3f3f3full) & ~(x + 0x2525252525252525ull) & ~w & 0x8080808080808080ull;
      words[i] = w | (up >> 2);
      changed |= up;
    }
  }
  return changed != 0;
}

/* The entry's place in its slab; the slab's end is where `touched` is. */
static inline __u8 *slab_of(__u32 unit, __u32 pool, __u32 *at) {
  __u32 place = unit - pool, segment = place >> 14, slab = (place >> 10) & 15;
  void *slabs = map_lookup(&segments, &segment);
  if (!slabs) return 0;
  *at = (place & 1023) * 64;
  return map_lookup(slabs, &slab);
}

/* Copies the entry and sees to it that it is whole; 0 when it is. */
static inline enum reason copy_entry(__u8 *slab, __u32 at, struct work *work, __u32 hash, __u32 words) {
  if (at > 65536 - 1024) return UNKNOWN;
  struct entry *there = (void *)(slab + at);
  __u32 sequence = __sync_fetch_and_add(&there->sequence, 0);
  if (sequence & 1) return BUSY;
  if (there->hash != hash) return UNKNOWN;
  __u32 length = sizeof(struct entry) + there->key_length + 2 * (there->ttls + there->owners) + there->length;
  if (length > ENTRY) return BUSY;
  __u64 *from = (void *)there;
#pragma unroll
  for (int block = 0; block < ENTRY / 64; block++)
    if (block * 64 < length)
#pragma unroll
      for (int i = 0; i < 8; i++) work->found.words[block * 8 + i] = from[block * 8 + i];
  if (__sync_fetch_and_add(&there->sequence, 0) != sequence) return BUSY;
  if (work->found.entry.key_length != words * 4) return UNKNOWN;
  __u64 differ = 0, *key = (void *)work->key, *stored = &work->found.words[8];
#pragma unroll
  for (int i = 0; i < KEY_WORDS / 2; i++)
    if (i * 2 < words) differ |= key[i] ^ stored[i];
  return differ ? UNKNOWN : ANSWERED;
}

/* A packet's bytes, by what the hook has: `xdp` is known where this is compiled. */
static inline long load(void *ctx, __u32 at, void *to, __u32 length, const int xdp) {
  return xdp ? xdp_load(ctx, at, to, length) : skb_load(ctx, at, to, length);
}

static inline long store(void *ctx, __u32 at, const void *from, __u32 length, const int xdp) {
  return xdp ? xdp_store(ctx, at, from, length) : skb_store(ctx, at, from, length, 0);
}

/* Stores a part of the records, if it is none of no length. */
static inline int store_part(void *ctx, __u32 to, struct work *work, __u32 from, __u32 length, const int xdp) {
  if (length == 0) return 0;
  __u64 bytes = length, at = from;
  BOUND(bytes, 511);
  WITHIN(at, 511);
  return store(ctx, to, work->found.bytes + at, bytes, xdp);
}

static inline int store_records(void *ctx, __u32 to, struct work *work, __u32 from, __u32 turn, const int xdp) {
  struct entry *entry = &work->found.entry;
  __u32 length = entry->length, count = entry->rotating, start = entry->rotation_start, size = entry->rotation_size;
  if (count < 2) return store_part(ctx, to, work, from, length, xdp);
  __u32 block = count * size, shift = (turn % count) * size, end = start + block;
  if (start > 511 || block > 511 || shift > block || end > length) return 1;
  return store_part(ctx, to, work, from, start, xdp) ||
    store_part(ctx, to + start, work, from + start + shift, block - shift, xdp) ||
    store_part(ctx, to + start + block - shift, work, from + start, shift, xdp) ||
    store_part(ctx, to + end, work, from + end, length - end, xdp);
}

/* TTLs count down from when the answer was stored. */
static inline void count_down(struct work *work, __u32 places, __u32 records, __u64 now) {
  struct entry *entry = &work->found.entry;
  if (entry->ttl < 0) return;
  __u32 ttl = entry->ttl;
  if (now > entry->stored) ttl -= (now - entry->stored) / 1000;
  ttl = htonl(ttl);
#pragma unroll
  for (int i = 0; i < 16; i++) {
    if (i >= entry->ttls) break;
    __u64 place = places + 2 * i;
    WITHIN(place, 511);
    __u64 at = *(__u16 *)(work->found.bytes + place);
    WITHIN(at, 511);
    __u64 from = records;
    WITHIN(from, 511);
    *(__u32 *)(work->found.bytes + from + at) = ttl;
  }
}

/*
 * Whether the sum of a datagram is left to the network card: where it looks like that, the kernel is told of a change
 * that nobody made. A sum that it does not keep itself it leaves alone.
 */
static inline int left_to_the_card(void *skb, __u32 at, __u16 check) {
  __u16 after = 0;
  if (l4_csum(skb, at, 0, 1, 2) || skb_load(skb, at, &after, 2)) return 0;
  if (after == check) return 1;
  skb_store(skb, at, &check, 2, 0);
  return 0;
}

/*
 * Whether the sum of a datagram is right, or none that the sender's kernel left to the network card. XDP is not told
 * whether it was left: what looks like it is taken for it.
 */
static inline int sums_up(void *ctx, struct work *work, __u32 at, __u64 length, __u32 pseudo, __u16 check,
                          const int xdp) {
  if (fold(pseudo) == check && (xdp || left_to_the_card(ctx, at + 6, check))) return 1;
  BOUND(length, 255);
  if (load(ctx, at, work->tail, length, xdp)) return 0;
  *(__u32 *)(work->tail + length) = 0;
  __u64 padded = (length + 3) & ~3ull;
  WITHIN(padded, 511);
  return fold((__u64)csum_diff(0, 0, work->tail, padded, 0) + pseudo) == 0xffff;
}

/*
 * Gives a frame of XDP another length: behind the question, or, where a frame has no room there, before the packet,
 * where there always is some. Below 0 where it is not enough either, above 0 where the packet is lost.
 */
static inline int resize_frame(void *xdp, struct work *work, __u32 question, __u64 asked, __s32 by) {
  if (!xdp_move_tail(xdp, by)) return 0;
  if (by <= 0 || xdp_move_head(xdp, -by)) return -1;
  BOUND(asked, 255);
  return xdp_load(xdp, question + by, work->tail, asked) || xdp_store(xdp, question, work->tail, asked);
}

/* The sum of a whole answer, where nobody keeps sums of what changed; `addresses` is that of the two addresses. */
static inline int store_sum(void *xdp, struct work *work, __u32 transport, __u32 addresses, __u64 length) {
  struct udp *udp = (void *)(work->head + transport);
  BOUND(length, 511);
  *(__u32 *)(work->tail + length) = 0;
  if (xdp_load(xdp, transport + 20, work->tail, length)) return 1;
  __u64 padded = (length + 3) & ~3ull;
  WITHIN(padded, 508);
  __u64 sum = (__u64)addresses + htons(17) + udp->length;
  sum += (__u32)csum_diff(0, 0, udp, 20, 0);
  sum += (__u32)csum_diff(0, 0, work->tail, padded, 0);
  __u16 check = ~fold(sum);
  if (!check) check = 0xffff;
  return xdp_store(xdp, transport + 6, &check, 2);
}

static inline int answer(void *ctx, __u32 packet, const int v6, const int xdp) {
  const __u32 net = 14, transport = net + (v6 ? 40 : 20), message = transport + 8, question = message + 12;
  const __u32 head = question;
  __u32 zero = 0;
  struct work *work = map_lookup(&scratch, &zero);
  if (!work || load(ctx, 0, work->head, message, xdp)) return NEXT;
  struct eth *eth = (void *)work->head;
  struct ip4 *ip4 = (void *)(work->head + net);
  struct ip6 *ip6 = (void *)(work->head + net);
  struct udp *udp = (void *)(work->head + transport);
  struct dns *dns = (void *)(work->head + message);
  if ((v6 ? ip6->next : ip4->protocol) != 17 || (!v6 && ip4->version != 0x45)) return NEXT;

  struct address to = {};
  if (v6) __builtin_memcpy(to.ip, ip6->to, 16);
  else {
    to.ip[10] = to.ip[11] = 0xff;
    __builtin_memcpy(to.ip + 12, &ip4->to, 4);
  }
  to.port = udp->to;
  __u32 *server = map_lookup(&listening, &to);
  if (!server) return NEXT;
  __u32 length = htons(udp->length);
  if (v6 ? (ip6->version & 0xf0) != 0x60 || htons(ip6->length) != length
         : (ip4->fragment & htons(0x3fff)) || htons(ip4->length) != length + 20)
    return pass(FRAGMENT_OR_OPTIONS);
  if (transport + length > packet || udp->from == 0) return pass(FORM);
  __u8 first = v6 ? ((__u8 *)ip6->from)[0] : ((__u8 *)&ip4->from)[0];
  if (v6 ? first == 0 || first == 0xff : first == 0 || first == 127 || first >= 224) return pass(OTHER_ADDRESS);
  /* What no server answers: datagrams without a whole header, and responses. */
  if (length >= 8 && length < 8 + 12) return drop(RUNT);
  if (length < 8 || load(ctx, message, dns, 12, xdp)) return pass(FORM);
  if (dns->high & 0x80) return drop(RESPONSE);
  struct control_page *page = map_lookup(&control, &zero);
  if (!page) return NEXT;
  if (page->limit) {
    __u8 client[16] = {};
    if (v6) __builtin_memcpy(client, ip6->from, 16);
    else __builtin_memcpy(client + 12, &ip4->from, 4);
    if (too_many(client, page->limit)) return drop(LIMITED);
  }
  if (length < 8 + 12 + 5) return pass(FORM);
  if (length > 8 + 12 + MAX_NAME + 4 + 11) return pass(LONG_NAME);

  if ((dns->high & 0xfe) || dns->counts[0] != htons(1) || dns->counts[1] || dns->counts[2] ||
      (dns->counts[3] & ~htons(1)))
    return pass(FORM);
  __u32 edns = dns->counts[3] != 0, asked = length - 8 - 12 - (edns ? 11 : 0);
  if (asked < 5 || asked > MAX_NAME + 4) return pass(edns ? FORM : LONG_NAME);
  __u8 opt[16] = {};
  if (edns && load(ctx, question + asked, opt, 11, xdp)) return pass(FORM);
  if (edns && (opt[0] || opt[1] || opt[2] != 41 || opt[6] || opt[9] || opt[10])) return pass(FORM);

  /* Sums of headers: what is wrong is the kernel's to drop. */
  __u64 addresses;
  if (v6) addresses = csum_diff(0, 0, ip6->from, 32, 0);
  else {
    if (fold(csum_diff(0, 0, ip4, 20, 0)) != 0xffff) return pass(CHECKSUM);
    addresses = csum_diff(0, 0, &ip4->from, 8, 0);
  }
  __u32 pseudo = fold(addresses + htons(17) + udp->length);
  if (udp->check == 0 ? v6 : !sums_up(ctx, work, transport, length, pseudo, udp->check, xdp)) return pass(CHECKSUM);

  /* The key, as fastpath/query-key.ts has it. */
  __u32 number = *server;
  if (number > 255) return pass(BY_NETWORK);
  __u32 networks = page->networks[number];
  if (v6 ? networks >> 16 : networks & 0xffff) return pass(BY_NETWORK);
  __u64 name = asked - 4;
  BOUND(name, 127);
  __u64 last = name - 1;
  WITHIN(last, 120);
  *(__u64 *)((__u8 *)work->key + 8 + last) = 0;
  if (load(ctx, question, (__u8 *)work->key + 8, name, xdp) || load(ctx, question + name, work->key, 4, xdp))
    return pass(FORM);
  work->key[1] = (edns && (opt[7] & 0x80) ? 1 : 0) | (dns->low & 0x10 ? 2 : 0) | (dns->low & 0x20 ? 4 : 0) |
    (v6 ? 8 : 0) | (name << 8) | (number << 16);
  __u32 words = 2 + ((name + 7) >> 3) * 2;
  int capitals = lower((__u64 *)(work->key + 2), (words - 2) / 2);
  __u32 hash = hash_key(work->key, words, page->seed);

  void *sets = map_lookup(&indexes, &zero);
  if (!sets) return pass(UNKNOWN);
  __u32 number_of_set = hash & page->mask, unit = 0;
  struct set *set = map_lookup(sets, &number_of_set);
  if (!set) return pass(UNKNOWN);
#pragma unroll
  for (int i = 0; i < 16; i++)
    if (set->ways[i].hash == hash && !unit) unit = set->ways[i].unit;
  if (!unit) return pass(UNKNOWN);
  __u32 at = 0;
  __u8 *slab = slab_of(unit, page->pool, &at);
  if (!slab) return pass(UNKNOWN);
  enum reason reason = copy_entry(slab, at, work, hash, words);
  if (reason != ANSWERED) return pass(reason);
  struct entry *entry = &work->found.entry;
  if (entry->marks & MARK_NOTED) return pass(NOTED);
  if (capitals && (!(entry->marks & MARK_SPELLING) || entry->owners)) return pass(SPELLING);
  __u64 now = ktime() / 1000000;
  if (entry->until <= now) return pass(EXPIRED);
  __u32 places = 64 + entry->key_length, records = places + 2 * (entry->ttls + entry->owners);
  __u32 added = entry->length + (edns ? 11 : 0);
  if (records > 511 || entry->length > 448 || 12 + asked + added > 512) return pass(LONG_ANSWER);
  count_down(work, places, records, now);
  if (at > 65536 - 1024) return NEXT;
  struct entry *shared = (void *)(slab + at);
  __u32 turn = entry->rotating > 1 ? __sync_fetch_and_add(&shared->turn, 1) : 0;

  /* The headers of the answer. */
  __builtin_memcpy(work->old_dns, dns, 12);
  dns->high = (entry->flags >> 8) | (dns->high & 1);
  dns->low = (entry->flags & 0xff) | (dns->low & 0x10);
  dns->counts[1] = htons(entry->answers);
  dns->counts[2] = htons(entry->authorities);
  dns->counts[3] = htons((__u16)(entry->additional + edns));
  __u8 mac[6];
  __builtin_memcpy(mac, eth->to, 6);
  __builtin_memcpy(eth->to, eth->from, 6);
  __builtin_memcpy(eth->from, mac, 6);
  __u16 port = udp->from, old_length = udp->length, new_length = htons(8 + 12 + asked + added);
  udp->from = udp->to;
  udp->to = port;
  udp->length = new_length;
  if (v6) {
    __u32 from[4];
    __builtin_memcpy(from, ip6->from, 16);
    __builtin_memcpy(ip6->from, ip6->to, 16);
    __builtin_memcpy(ip6->to, from, 16);
    ip6->version = 0x60;
    ip6->length = new_length;
    ip6->hops = 64;
  } else {
    __u32 from = ip4->from;
    ip4->from = ip4->to;
    ip4->to = from;
    ip4->tos = 0;
    ip4->id = 0;
    ip4->fragment = htons(0x4000);
    ip4->ttl = 64;
    ip4->length = htons(20 + 8 + 12 + asked + added);
    ip4->check = 0;
    ip4->check = ~fold(csum_diff(0, 0, ip4, 20, 0));
  }

  /* From here on the packet is no query any more. */
  __u32 tail = question + asked;
  if (xdp) {
    int resized = resize_frame(ctx, work, question, asked, (__s32)(tail + added - packet));
    if (resized < 0) return pass(FAILED);
    if (resized > 0) return DROP;
  } else if (skb_resize(ctx, tail + added, 0))
    return pass(FAILED);
  __u16 old_check = udp->check;
  if (xdp) udp->check = 0;
  if (store(ctx, 0, work->head, head, xdp) || store_records(ctx, tail, work, records, turn, xdp)) return DROP;
  __u8 old_opt[16] = {};
  __u32 odd = asked & 1;
  if (edns) {
    if (odd) __builtin_memcpy(old_opt + 1, opt, 11);
    else __builtin_memcpy(old_opt, opt, 11);
    opt[5] = 0;
    opt[7] &= 0x80;
    opt[8] = 0;
    if (store(ctx, tail + entry->length, opt, 11, xdp)) return DROP;
  }
  if (xdp) {
    if (old_check && store_sum(ctx, work, transport, fold(addresses), asked + added)) return DROP;
  } else {
    __u64 sum = csum_diff(work->old_dns, 12, dns, 12, 0);
    __u64 length_of_tail = added;
    if (added > 0) {
      BOUND(length_of_tail, 511);
      *(__u32 *)work->tail = 0;
      *(__u64 *)(work->tail + length_of_tail) = 0;
      if (load(ctx, tail, work->tail + (odd ? 1 : 0), length_of_tail, xdp)) return DROP;
      __u64 padded = (length_of_tail + odd + 3) & ~3ull;
      WITHIN(padded, 508);
      sum = csum_diff(old_opt, 16, work->tail, padded, sum);
    }
    const __u32 check = transport + 6;
    if (l4_csum(ctx, check, 0, sum, BPF_F_MARK_MANGLED_0) ||
        l4_csum(ctx, check, old_length, new_length, 2 | BPF_F_MARK_MANGLED_0) ||
        l4_csum(ctx, check, old_length, new_length, 2 | BPF_F_MARK_MANGLED_0 | BPF_F_PSEUDO_HDR))
      return DROP;
  }
  __sync_fetch_and_add(edns ? &shared->hits_edns : &shared->hits, 1);
  __u32 *touched = (void *)(slab + 65532);
  if (!*touched) *touched = 1;
  pass(ANSWERED);
  return SENT;
}

SEC("tc") int answers(struct __sk_buff *skb) {
  /* Of frames with VLAN tags, to others, or made of several datagrams, nothing is known. */
  if (skb->vlan_present || skb->pkt_type != 0 || skb->gso_size) return NEXT;
  int outcome = NEXT;
  if (skb->protocol == htons(0x0800)) outcome = answer(skb, skb->len, 0, 0);
  else if (skb->protocol == htons(0x86dd)) outcome = answer(skb, skb->len, 1, 0);
  return outcome == SENT ? redirect(skb->ifindex, 0) : outcome;
}

SEC("xdp") int answers_xdp(struct xdp_md *xdp) {
  struct eth eth;
  __u32 device = xdp->ingress_ifindex, packet = xdp_length(xdp);
  __u64 to = 0, *own = map_lookup(&devices, &device);
  if (!own || xdp_load(xdp, 0, &eth, sizeof(eth))) return XDP_PASS;
  /* What is for another device of a bridge, or for all. */
  __builtin_memcpy(&to, eth.to, 6);
  if (to != *own) return XDP_PASS;
  int outcome = NEXT;
  if (eth.type == htons(0x0800)) outcome = answer(xdp, packet, 0, 1);
  else if (eth.type == htons(0x86dd)) outcome = answer(xdp, packet, 1, 1);
  return outcome == SENT ? XDP_TX : outcome == DROP ? XDP_DROP : XDP_PASS;
}

/*
 * What a filter of clsact runs, which stays when its server dies. The kernel empties an array of programs when nobody
 * has it open any more: nothing is behind this from then on.
 */
SEC("gate") int pass_on(struct __sk_buff *skb) {
  tail_call(skb, &answering, 0);
  return NEXT;
}

/* The same behind a link of XDP, which several processes may hold, one after the other. */
SEC("xdp_gate") int pass_on_xdp(struct xdp_md *xdp) {
  tail_call(xdp, &answering, 0);
  return XDP_PASS;
}

char license_text[] SEC("license") = "Apache-2.0";
