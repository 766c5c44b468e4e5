/** A requirement of a label selector, matchLabels written as In with one value. */
export interface Requirement {
  readonly key: string;
  readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';
  readonly values: readonly string[];
}

/** All requirements must hold; an empty selector picks everything. */
export type Selector = readonly Requirement[];

/** Sources that a key of an endpoint selector may carry; a pod's labels are k8s ones. */
const SOURCE = /^(?:k8s|any)[:.]/;

export const withoutSource = (key: string): string => key.replace(SOURCE, '');

export function selects(selector: Selector, labels: Readonly<Record<string, string>>): boolean {
  return selector.every(({ key, operator, values }) => {
    const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
    switch (operator) {
      case 'In':
        return value !== undefined && values.includes(value);
      // A missing label is not in the list either (Kubernetes label selectors, set-based requirements).
      case 'NotIn':
        return value === undefined || !values.includes(value);
      case 'Exists':
        return value !== undefined;
      case 'DoesNotExist':
        return value === undefined;
    }
  });
}
