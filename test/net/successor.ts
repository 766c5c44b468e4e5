// Takes the sockets over that its first argument lists: answers datagrams with themselves, and connections with a word.
import { HostNetwork } from '../../src/net/host-network.js';
import { InheritedSockets, type ListeningSocket } from '../../src/net/inherited-sockets.js';

const sockets = JSON.parse(process.argv[2]!) as ListeningSocket[];
const network = new HostNetwork(new InheritedSockets(sockets));
const udp = await network.bindUdp(sockets[0]!, (bytes, peer) => udp.send(bytes, bytes.length, peer));
await network.listenTcp(sockets[0]!, ({ stream }) => stream.end('new'));
process.send!('ready');
