#!/bin/sh
# A node: two more addresses on the wire that stands for all networks, the way to the other node's pods, and what kube-proxy does.
# $LAN and $NAT are its own addresses, $PEER is the other node and $PEER_PODS what runs there.
set -eu
ip address replace "$LAN/24" dev eth0
ip address replace "$NAT/24" dev eth0
ip route replace "$PEER_PODS" via "$PEER"
ip route replace default via 10.0.2.2
nft -f "$(dirname "$0")/services.nft"
echo "$(hostname) is a node: pods behind $LAN, services from services.nft"

# A process 1 takes no signal that it has no handler for.
trap 'exit 0' TERM INT
sleep infinity &
wait $!
