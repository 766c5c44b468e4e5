#!/bin/sh
# The resolver that nodes are given by their network, at 10.0.2.3; what lies behind 10.0.2.2 is not there. The rest is its server's.
set -eu
ip address replace 10.0.2.2/24 dev eth0
ip address replace 10.0.2.3/24 dev eth0
exec setpriv --bounding-set -net_admin "$@"
