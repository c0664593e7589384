// The rows of the world: table by table, what differs from the fixture, and one row with what belongs to it.
import {useState} from 'preact/hooks';
import {API, all, control} from './api';
import {VirtualList, usePaged} from './list';
import {Field, Fields, number, usePromise} from './parts';
import type {Row, RowDetail, Table, TableRow} from './types';

/** Field -> the table of the row that it names. */
const OWNERS: Record<string, string> = {
  course_id: 'courses',
  section_id: 'sections',
  lesson_id: 'lessons',
  question_id: 'questions',
  user_id: 'users',
  created_by: 'users',
  parent: 'comments',
  client_id: 'apps',
  upload_id: 'uploads',
};

interface Props {
  version: number;
  table: string | undefined;
  opened: string | undefined;
}

export function State({version, table, opened}: Props) {
  const tables = usePromise(() => all<Table>('/tables'), [version]);
  const name = table ?? 'courses';
  return (
    <section class={opened === undefined ? 'split three' : 'split three opened'} aria-label="State">
      <nav class="tables" aria-label="Tables">
        {tables.error !== '' && (
          <p class="problem" role="alert">
            {tables.error}
          </p>
        )}
        <ul>
          {(tables.value ?? []).map((one) => (
            <li key={one.name}>
              <a href={`#state/${one.name}`} aria-current={one.name === name ? 'page' : undefined}>
                <span>{one.name}</span>
                <span class="muted">
                  <Differences table={one} /> {one.rows.toLocaleString('en')}
                </span>
              </a>
            </li>
          ))}
        </ul>
      </nav>
      <Rows key={name} table={name} version={version} opened={opened} />
      <div class="detail">
        {opened === undefined ? (
          <p class="empty muted">Choose a row to see it beside that of the fixture, with what belongs to it.</p>
        ) : (
          <Detail table={name} rowKey={opened} version={version} />
        )}
      </div>
    </section>
  );
}

function Differences({table: {added, changed, deleted}}: {table: Table}) {
  const total = added + changed + deleted;
  return total === 0 ? null : (
    <mark class="calm" title={`${added} added, ${changed} changed, ${deleted} deleted`}>
      {total.toLocaleString('en')}
      <i> differ</i>
    </mark>
  );
}

function Rows({table, version, opened}: {table: string; version: number; opened: string | undefined}) {
  const [differs, setDiffers] = useState(false);
  const paged = usePaged<TableRow>(`/tables/${encodeURIComponent(table)}?differs=${differs}`, version);
  const [wanted, setWanted] = useState('');

  function go(event: Event) {
    event.preventDefault();
    if (wanted.trim() !== '') {
      location.hash = `#state/${table}/${encodeURIComponent(wanted.trim())}`;
    }
  }

  return (
    <div class="master">
      <form class="filters" onSubmit={go}>
        <label class="check">
          <input type="checkbox" checked={differs} onChange={() => setDiffers(!differs)} />
          <span>Only what differs</span>
        </label>
        <Field label="Key" value={wanted} onInput={setWanted} />
        <button>Go</button>
      </form>
      <p class="muted count">{paged.count === undefined ? 'Loading …' : number(paged.count, 'row')}</p>
      <VirtualList
        paged={paged}
        height={44}
        label={`Rows of ${table}`}
        empty={<p>{differs ? 'All rows are as in the fixture.' : 'There are no rows here.'}</p>}
        row={(row) => (
          <a
            class="line row"
            href={`#state/${table}/${encodeURIComponent(row.key)}`}
            aria-current={row.key === opened ? 'true' : undefined}
          >
            <code>{row.key}</code>
            <span class="what">{titleOf(row.row ?? row.fixture ?? {})}</span>
            {row.difference !== 'none' && <span class={`mark ${row.difference}`}>{row.difference}</span>}
          </a>
        )}
      />
    </div>
  );
}

/** What a row is called, or else what it says. */
export function titleOf(row: Row): string {
  for (const name of ['name', 'real_name', 'username', 'title', 'text', 'client_id', 'status']) {
    if (typeof row[name] === 'string' && row[name] !== '') {
      return row[name].replace(/<[^>]*>/g, ' ').slice(0, 200);
    }
  }
  return JSON.stringify(row).slice(0, 200);
}

function Detail({table, rowKey, version}: {table: string; rowKey: string; version: number}) {
  const path = `/tables/${encodeURIComponent(table)}/${encodeURIComponent(rowKey)}`;
  const {value, error} = usePromise(() => control<RowDetail>('GET', path), [path, version]);
  const address = usePromise(() => (value?.row ? addressOf(table, value.row) : Promise.resolve('')), [value]);
  if (error || value === undefined || value.key !== rowKey) {
    return (
      <>
        <a class="back" href={`#state/${table}`}>
          All {table}
        </a>
        {error ? (
          <p class="problem" role="alert">
            {error}
          </p>
        ) : (
          <p class="muted">Loading …</p>
        )}
      </>
    );
  }
  const row = value.row ?? value.fixture ?? {};
  const owners = Object.entries(OWNERS).filter(([field]) => row[field] !== null && row[field] !== undefined);
  const isSame = value.difference === 'none';
  return (
    <article>
      <a class="back" href={`#state/${table}`}>
        All {table}
      </a>
      <h2>
        <span>
          {table} {value.key}
        </span>{' '}
        {!isSame && <span class={`mark ${value.difference}`}>{value.difference}</span>}
      </h2>
      <p class="muted">
        {titleOf(row)}
        {isSame && ', as in the fixture'}
      </p>
      {address.value && (
        <p class="actions">
          <a class="button" href={`#personas/${encodeURIComponent(address.value)}`}>
            Who sees it?
          </a>
        </p>
      )}
      <Fields before={isSame ? null : value.fixture} after={value.row} old="Fixture" now="Now" />
      {owners.length > 0 && (
        <>
          <h3>Belongs to</h3>
          <p class="chips">
            {owners.map(([field, owner]) => (
              <a class="chip" key={field} href={`#state/${owner}/${encodeURIComponent(String(row[field]))}`}>
                {field} {String(row[field])}
              </a>
            ))}
          </p>
        </>
      )}
      {value.belongs.map((part) => (
        <div key={part.table + part.field}>
          <h3>
            {part.table} <small>{number(part.count, 'row')}</small>
          </h3>
          <p class="chips">
            {part.keys.map((key) => (
              <a class="chip" key={key} href={`#state/${part.table}/${encodeURIComponent(key)}`}>
                {key}
              </a>
            ))}
            {part.keys.length < part.count && <span class="muted">and more</span>}
          </p>
        </div>
      ))}
    </article>
  );
}

/** The path at which the API shows a row; empty if it does not show it by itself. */
async function addressOf(table: string, row: Row): Promise<string> {
  const parent = async (owner: string, field: string) =>
    (await control<RowDetail>('GET', `/tables/${owner}/${encodeURIComponent(String(row[field]))}`)).row ?? {};
  switch (table) {
    case 'courses':
      return `${API}/course/${row['id']}/`;
    case 'sections':
      return `${API}/course/${row['course_id']}/section/${row['id']}/`;
    case 'lessons': {
      const section = await parent('sections', 'section_id');
      return `${API}/course/${section['course_id']}/section/${row['section_id']}/lesson/${row['id']}/`;
    }
    case 'comments': {
      const base = await addressOf('lessons', await parent('lessons', 'lesson_id'));
      return `${base}comment/${row['id']}/`;
    }
    case 'users':
      return `${API}/user/${row['id']}/`;
    case 'categories':
      return `${API}/category/${row['id']}/`;
    default:
      return '';
  }
}
