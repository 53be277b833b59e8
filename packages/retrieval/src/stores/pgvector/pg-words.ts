// BM25 by PostgreSQL's text search. Its own ranks (ts_rank, ts_rank_cd) do not know how rare a word is in the database, so that "the" counts as much as
// a name. What BM25 (Robertson and Zaragoza 2009) needs is all there, however:
//
// 1. When a table is whole, ts_stat counts the passages of each word, once, and the mean length is taken beside it.
// 2. A question's words are those of its tsvector ('simple': no stems, no stop words, as ours). A passage is a candidate where it holds one of the
//    rarer ones, which the GIN index finds.
// 3. ts_rank_cd of a single word is 0.1 for each time that it stands in the passage: its count. A passage's length is that of its tsvector, which
//    counts a repeated word once. Constants and rarity are those of our own BM25 (Lucene's).

/** Words that more than this share of the passages hold rank passages, but find none: half of a large table would be ranked for an "and". */
const COMMON_SHARE = 0.1;
/** In a small table every word finds. */
const ALWAYS_FINDS = 1000;
/** How fast further occurrences stop counting, and how much a passage's length counts against it. */
const K1 = 1.2;
const B = 0.75;

/** Makes the table of words and how many passages hold each; the empty word has the mean length of a passage. */
export const countWordsSql = (table: string): string => `
  DROP TABLE IF EXISTS ${table}_words;
  CREATE TABLE ${table}_words AS
    SELECT word, ndoc AS passages FROM ts_stat('SELECT words FROM ${table}')
    UNION ALL SELECT '', greatest(1, coalesce(round(avg(length(words))), 1))::integer FROM ${table};
  ALTER TABLE ${table}_words ADD PRIMARY KEY (word);`;

/** $1: question, $2: passages of the table, $3: passages wanted. `filter`: further conditions. */
export const wordsSql = (table: string, filter: string): string => `
  WITH asked AS (
    SELECT ln(1 + ($2::float8 - passages + 0.5) / (passages + 0.5)) AS rarity, passages,
      ('''' || replace(replace(word, '\\', '\\\\'), '''', '''''') || '''')::tsquery AS query
    FROM ${table}_words WHERE word = ANY (tsvector_to_array(to_tsvector('simple', $1::text)))
  ), finding AS (
    SELECT query FROM asked
    WHERE passages <= greatest(${ALWAYS_FINDS}, $2::float8 * ${COMMON_SHARE}) OR passages = (SELECT min(passages) FROM asked)
  ), mean AS (
    SELECT passages::float8 AS length FROM ${table}_words WHERE word = ''
  )
  SELECT id, score FROM (
    SELECT id, (
      SELECT sum(rarity * count * ${K1 + 1} / (count + ${K1} * (${1 - B} + ${B} * length(words) / mean.length)))
      FROM (SELECT rarity, 10 * ts_rank_cd(words, query) AS count FROM asked) AS counted
    ) AS score
    FROM ${table}, mean
    WHERE words @@ (SELECT string_agg(query::text, ' | ')::tsquery FROM finding)${filter}
  ) AS ranked
  ORDER BY score DESC, id LIMIT $3`;
