import { describe, expect, it } from 'vitest';
import { withAutopath } from '../../src/nodelocal/autopath-block.js';

const NEW = '    node cluster.local {\n        name n1\n    }\n    autopath @node\n';

describe('a Corefile that walks the search lists of pods', () => {
  it.each([
    {
      name: "in the block for the cluster's names",
      text: '.:53 {\n}\nCluster.Local.:53 {\n    cache\n}\n',
      want: `.:53 {\n}\nCluster.Local.:53 {\n${NEW}    cache\n}\n`,
    },
    { name: 'in that for all names', text: 'dns://.:53 {\n}\n', want: `dns://.:53 {\n${NEW}}\n` },
    {
      name: 'with what stands there already',
      text: '. {\n    node cluster.local\n    autopath @node\n}\n',
      want: '. {\n    node cluster.local\n    autopath @node\n}\n',
    },
    {
      name: 'with what stands there already, where the block is not closed',
      text: '. {\n    node cluster.local\n    autopath @node\n',
      want: '. {\n    node cluster.local\n    autopath @node\n',
    },
    {
      name: 'whatever stands in another block',
      text: '. {\n}\nb.org {\n    autopath @node\n}\n',
      want: `. {\n${NEW}}\nb.org {\n    autopath @node\n}\n`,
    },
    { name: 'nowhere, without such a block', text: 'b.org {\n}\n', want: undefined },
  ])('$name', ({ text, want }) => expect(withAutopath(text, 'cluster.local', 'n1')).toBe(want));
});
