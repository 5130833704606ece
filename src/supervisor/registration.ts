import { type DependencyProblem, problemsOf } from '../../machines/model/dependencies.ts';
import type { ComponentPlan } from '../../machines/supervisor.types.ts';
import { ConfigurationError, type ConfigurationIssue } from '../errors.ts';
import { MAX_TIMER_MS } from '../transport/clock.ts';
import type { Component } from './component.ts';

const FUNCTIONS = ['start', 'stop', 'verify'] as const;

/** A value in a few words, for people. */
const shown = (value: unknown): string =>
  typeof value === 'string' ? `'${value}'` : typeof value === 'number' ? String(value) : typeof value;

/** What is wrong with one component alone. */
function issuesOf(component: Component, index: number): ConfigurationIssue[] {
  const at = `components[${index}]`;
  if (typeof component !== 'object' || component === null)
    return [{ option: at, given: shown(component), allowed: 'a component' }];
  const { name, dependsOn, deadlineMs } = component;
  const issues: ConfigurationIssue[] = [];
  if (typeof name !== 'string')
    issues.push({ option: `${at}.name`, given: shown(name), allowed: 'a name, not empty' });
  if (
    dependsOn !== undefined &&
    !(Array.isArray(dependsOn) && dependsOn.every((it) => typeof it === 'string'))
  )
    issues.push({ option: `${at}.dependsOn`, given: shown(dependsOn), allowed: 'a list of names' });
  if (deadlineMs !== undefined && !isDuration(deadlineMs))
    issues.push({
      option: `${at}.deadlineMs`,
      given: shown(deadlineMs),
      allowed: `ms, from 0 to ${MAX_TIMER_MS}`,
    });
  for (const field of FUNCTIONS)
    if (component[field] !== undefined && typeof component[field] !== 'function')
      issues.push({ option: `${at}.${field}`, given: shown(component[field]), allowed: 'a function' });
  return issues;
}

/** Whether a timer can wait that long. */
export const isDuration = (ms: unknown): ms is number =>
  typeof ms === 'number' && ms >= 0 && ms <= MAX_TIMER_MS;

const planOf = ({ name, dependsOn = [], deadlineMs }: Component): ComponentPlan => ({
  name,
  dependsOn: [...dependsOn],
  ...(deadlineMs === undefined ? {} : { deadlineMs }),
});

const issueOf = ({ index, field, given, allowed }: DependencyProblem): ConfigurationIssue => ({
  option: `components[${index}].${field}`,
  given,
  allowed,
});

/**
 * The components as the chart knows them. `before` are those that it knows already.
 *
 * @throws {ConfigurationError} listing all that is wrong with them.
 */
export function plansOf(components: readonly Component[], before: readonly ComponentPlan[]): ComponentPlan[] {
  const issues = components.flatMap((component, i) => issuesOf(component, before.length + i));
  if (issues.length > 0) throw new ConfigurationError(issues);
  const plans = components.map(planOf);
  const problems = problemsOf([...before, ...plans]);
  if (problems.length > 0) throw new ConfigurationError(problems.map(issueOf));
  return plans;
}
