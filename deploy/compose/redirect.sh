#!/bin/bash
# What Cilium does on a node for the policy of deploy/node-local-dns-lrp.yaml: as long as the cache of this node ($CACHE)
# is ready, what goes to port 53 of service kube-dns leads there and not to the cluster DNS. Other ports, other nodes and
# resolv.conf stay as they are.
set -eu
table='ip local-redirect'

ready() {
  timeout 1 bash -c 'exec 3<>"/dev/tcp/$CACHE/8080" && printf "GET /health HTTP/1.0\r\n\r\n" >&3 && grep -q "^OK" <&3' 2>/dev/null
}
# Before the rules of services, at both places where those are.
lead() {
  nft -f - <<RULES
table $table {
  chain translate {
    ip daddr 10.96.0.10 udp dport 53 counter dnat to $CACHE
    ip daddr 10.96.0.10 tcp dport 53 counter dnat to $CACHE
  }
  chain prerouting {
    type nat hook prerouting priority dstnat - 1
    jump translate
  }
  chain output {
    type nat hook output priority -101
    jump translate
  }
}
RULES
}

# What a predecessor left that was killed.
nft delete table $table 2>/dev/null || true
leading=
stop() {
  [ -z "$leading" ] || nft delete table $table
  leading=
}
trap 'stop; exit 0' TERM INT
while :; do
  if ready; then
    [ -n "$leading" ] || { lead; leading=yes; echo "10.96.0.10:53 leads to the cache of this node, $CACHE"; }
  else
    [ -z "$leading" ] || { stop; echo "the cache of this node is not ready: 10.96.0.10:53 leads to the cluster DNS"; }
  fi
  sleep 1 &
  wait $! || true
done
