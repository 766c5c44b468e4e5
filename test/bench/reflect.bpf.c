/* Sends each datagram to port 5300 back as it is, with its ends swapped: what an answer costs at the least. */
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
struct __sk_buff { u32 len, pkt_type, unused[8], ifindex; };
static long (*load)(const void *skb, u32 at, void *to, u32 len) = (void *)26;
static long (*store)(void *skb, u32 at, const void *from, u32 len, u64 flags) = (void *)9;
static long (*redirect)(u32 ifindex, u64 flags) = (void *)23;
struct head { u8 to[6], from[6]; u16 type; u8 ip[12]; u32 source, target;
  u16 port, own, length, check, id; u8 high; } __attribute__((packed));
__attribute__((section("tc"), used)) int reflect(struct __sk_buff *skb) {
  struct head head, back;
  if (load(skb, 0, &head, sizeof(head)) || head.type != 8 || head.ip[9] != 17 || head.own != __builtin_bswap16(5300)) return -1;
  back = head;
  __builtin_memcpy(back.to, head.from, 6);
  __builtin_memcpy(back.from, head.to, 6);
  back.source = head.target;
  back.target = head.source;
  back.port = head.own;
  back.own = head.port;
  back.high |= 0x80;
  store(skb, 0, &back, sizeof(back), 0);
  return redirect(skb->ifindex, 0);
}
char license_text[] __attribute__((section("license"), used)) = "Apache-2.0";
