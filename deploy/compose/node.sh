#!/bin/sh
# A node: two more addresses on the wire that stands for all networks, the way to the other node's pods, and what
# kube-proxy does. $LAN and $NAT are its own addresses, $PEER is the other node and $PEER_PODS what runs there; $NET is
# what addresses of pods begin with.
set -eu
ip address add "$LAN/24" dev eth0
ip address add "$NAT/24" dev eth0
ip route flush exact default
ip route add default via 10.0.2.2
ip route add "$PEER_PODS" via "$PEER"
sed "s/172[.]20[.]/$NET./g" "$(dirname "$0")/services.nft" | nft -f -

# A process 1 takes no signal that it has no handler for.
trap 'exit 0' TERM INT
sleep infinity &
wait $!
