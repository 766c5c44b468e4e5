import { describe, expect, it } from 'vitest';
import { selects, withoutSource, type Requirement } from '../../src/lrp/selector.js';

const LABELS = { app: 'dns', tier: '' };
const requirement = (operator: Requirement['operator'], key: string, ...values: string[]): Requirement => ({
  key,
  operator,
  values,
});

describe('a selector', () => {
  it.each<{ name: string; selector: readonly Requirement[]; want: boolean }>([
    { name: 'without requirements picks everything', selector: [], want: true },
    { name: 'In, with the value', selector: [requirement('In', 'app', 'web', 'dns')], want: true },
    { name: 'In, with others', selector: [requirement('In', 'app', 'web')], want: false },
    { name: 'In, of a label that is not there', selector: [requirement('In', 'zone', 'a')], want: false },
    { name: 'In, of an empty value', selector: [requirement('In', 'tier', '')], want: true },
    { name: 'In, of no label but a name of JavaScript', selector: [requirement('In', 'toString', 'a')], want: false },
    { name: 'NotIn, with the value', selector: [requirement('NotIn', 'app', 'web', 'dns')], want: false },
    { name: 'NotIn, with others', selector: [requirement('NotIn', 'app', 'web')], want: true },
    { name: 'NotIn, of a label that is not there', selector: [requirement('NotIn', 'zone', 'a')], want: true },
    { name: 'Exists, of one that does', selector: [requirement('Exists', 'tier')], want: true },
    { name: 'Exists, of one that does not', selector: [requirement('Exists', 'zone')], want: false },
    { name: 'DoesNotExist, of one that does', selector: [requirement('DoesNotExist', 'tier')], want: false },
    { name: 'DoesNotExist, of one that does not', selector: [requirement('DoesNotExist', 'zone')], want: true },
    {
      name: 'of which one requirement fails',
      selector: [requirement('Exists', 'app'), requirement('Exists', 'zone')],
      want: false,
    },
  ])('$name: $want', ({ selector, want }) => expect(selects(selector, LABELS)).toBe(want));

  it.each([
    { key: 'k8s:app', want: 'app' },
    { key: 'any.app', want: 'app' },
    { key: 'reserved:host', want: 'reserved:host' },
    { key: 'k8sapp', want: 'k8sapp' },
  ])("'$key' is the label '$want'", ({ key, want }) => expect(withoutSource(key)).toBe(want));
});
