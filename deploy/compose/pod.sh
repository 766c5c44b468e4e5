#!/bin/sh
# A pod's network as Cilium sets it up: whatever the pod sends goes by way of its node ($NODE), which sees it all and
# translates service addresses. Then comes the pod's program, as nobody and without any right; without one, the pod is
# there to be used with `exec`, and ends when asked to.
set -eu
ip route flush table main
ip route add "$NODE" dev eth0
ip route add default via "$NODE"

if [ $# -gt 0 ]; then
  exec setpriv --reuid 65534 --regid 65534 --clear-groups --bounding-set -all --inh-caps -all "$@"
fi
# A process 1 takes no signal that it has no handler for.
trap 'exit 0' TERM INT
sleep infinity &
wait $!
