// How much of the contract has been exercised, in all worlds together; looks like the report of `stubserver coverage`.
import {control} from './api';
import {Bar, attempt, number, usePromise} from './parts';
import type {Coverage, OperationCoverage} from './types';

type Points = Record<string, number>;

const pointsOf = (operation: OperationCoverage): [string, Points][] =>
  Object.entries(operation).filter((part): part is [string, Points] => typeof part[1] === 'object' && part[1] !== null);

const isCounted = ([name]: [string, Points]) => name !== 'personas';

function totals(groups: [string, Points][]) {
  const counts = groups.flatMap(([, points]) => Object.values(points));
  const covered = counts.filter((count) => count > 0).length;
  return {covered, total: counts.length, percent: counts.length ? (100 * covered) / counts.length : 0};
}

export function CoverageView({version}: {version: number}) {
  const {value, error} = usePromise(() => control<Coverage>('GET', '/coverage'), [version]);
  if (value === undefined) {
    return <p class={error ? 'problem' : 'muted'}>{error || 'Loading …'}</p>;
  }
  const dimensions = [...new Set(value.operations.flatMap((operation) => pointsOf(operation).map(([name]) => name)))];
  const requests = value.operations.reduce((sum, operation) => sum + operation.requests, 0);
  return (
    <section class="page coverage" aria-label="Coverage">
      <h2>Contract coverage</h2>
      <p class="total">
        {value.percent.toFixed(1)}
        <span> %</span>
      </p>
      <Bar part={value.percent} />
      <p>
        <b>
          {value.covered.toLocaleString('en')} of {number(value.total, 'point')} exercised
        </b>{' '}
        by {number(requests, 'request')}, in all worlds together
      </p>
      <dl class="dimensions">
        {dimensions.map((name) => {
          const found = totals(value.operations.flatMap(pointsOf).filter(([other]) => other === name));
          return (
            <div key={name}>
              <dt>{name.charAt(0).toUpperCase() + name.slice(1)}</dt>
              <dd>
                <b>{found.percent.toFixed(1)} %</b> <Bar part={found.percent} />
                <small>
                  {found.covered.toLocaleString('en')} of {found.total.toLocaleString('en')}
                </small>
              </dd>
            </div>
          );
        })}
      </dl>
      <p class="muted">
        <code>stubserver coverage --format html &gt; coverage.html</code> writes a page like this one to a file.
      </p>
      <div class="actions">
        <button type="button" onClick={() => void clear()} disabled={requests === 0}>
          Reset the counts
        </button>
      </div>
      {value.operations.map((operation) => (
        <Operation key={operation.operation} operation={operation} />
      ))}
    </section>
  );
}

async function clear() {
  if (confirm('Reset the coverage of all worlds to zero?')) {
    await attempt('The counts are zero.', () => control('DELETE', '/coverage'));
  }
}

function Operation({operation}: {operation: OperationCoverage}) {
  const found = totals(pointsOf(operation).filter(isCounted));
  const mark = operation.requests === 0 ? 'never called' : operation.only_refused ? 'only refused' : '';
  return (
    <details class="operation">
      <summary>
        <b class="name">{operation.operation}</b>
        <code>
          {operation.method} {operation.path}
        </code>
        {mark !== '' && <span class={`mark ${mark.split(' ')[0]}`}>{mark}</span>}
        <small>{number(operation.requests, 'request')}</small>
        <Bar part={found.percent} />
        <b>{found.percent.toFixed(1)} %</b>
      </summary>
      {pointsOf(operation)
        .filter(([, points]) => Object.keys(points).length > 0)
        .map(([name, points]) => (
          <div class="points" key={name}>
            <h4>{name}</h4>
            <p class="chips">
              {Object.entries(points).map(([point, count]) => (
                <span key={point} class={count > 0 ? 'chip' : 'chip never'}>
                  {point} <small>{count > 0 ? `×${count}` : 'never'}</small>
                </span>
              ))}
            </p>
          </div>
        ))}
    </details>
  );
}
