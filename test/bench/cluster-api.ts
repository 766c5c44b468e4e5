// The API of a cluster with so many services: `tsx cluster-api.ts SERVICES`. Prints its URL.
import { clusterApi } from './cluster.js';

process.stdout.write(`${(await clusterApi(Number(process.argv[2]))).url}\n`);
