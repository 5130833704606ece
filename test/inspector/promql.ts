/** What a PromQL expression asks for, by the grammar of Prometheus itself. */
import type { SyntaxNode } from '@lezer/common';
import { parser } from '@prometheus-io/lezer-promql';

export interface Selector {
  readonly metric: string;
  readonly matchers: readonly { readonly label: string; readonly operator: string; readonly value: string }[];
}

export interface Question {
  readonly selectors: readonly Selector[];
  /** Labels of `by`, `on` and the like. */
  readonly grouping: readonly string[];
}

/** Throws where the expression is none. */
export function readPromql(expression: string): Question {
  const textOf = (node: SyntaxNode | null | undefined): string =>
    node ? expression.slice(node.from, node.to) : '';
  const selectors: Selector[] = [];
  const grouping: string[] = [];
  parser.parse(expression).iterate({
    enter: ({ node }) => {
      if (node.type.isError)
        throw new Error(`at ${node.from} of ${expression}: ${expression.slice(node.from)}`);
      if (node.name === 'VectorSelector') {
        const matchers = node
          .getChildren('LabelMatchers')
          .flatMap((list) => list.getChildren('UnquotedLabelMatcher'))
          .map((matcher) => ({
            label: textOf(matcher.getChild('LabelName')),
            operator: textOf(matcher.getChild('MatchOp')),
            value: textOf(matcher.getChild('StringLiteral')).slice(1, -1),
          }));
        selectors.push({ metric: textOf(node.getChild('Identifier')), matchers });
      }
      if (node.name === 'GroupingLabels') grouping.push(...node.getChildren('LabelName').map(textOf));
    },
  });
  if (selectors.length === 0) throw new Error(`asks for nothing: ${expression}`);
  return { selectors, grouping };
}
