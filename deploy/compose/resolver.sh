#!/bin/sh
# The resolver that nodes are given by their network, at 10.0.2.3. It asks a server beside it, which knows all names
# outside the cluster that exist. Nobody is at 10.0.2.2, where nodes send everything else.
set -eu
ip address add 10.0.2.3/24 dev eth0
ip address add 10.0.2.2/24 dev eth0
nodens='setpriv --bounding-set -net_admin /nodens/bin/nodens'
$nodens lab world -port 1053 &
exec $nodens -conf "$(dirname "$0")/resolver.Corefile"
