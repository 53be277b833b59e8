// Search by words in PostgreSQL. Its own ranks (ts_rank_cd) know how often a word stands in a passage and how long that is, not how rare the word is
// in the database, so that "the" counts as much as a name. Therefore:
//
// 1. When a table is whole, ts_stat counts the passages of each word, once.
// 2. A question's words are those of its tsvector ('simple': no stems, no stop words, as ours). A passage is a candidate where it holds one of the
//    rarer ones, which the GIN index finds.
// 3. Its score is the sum over all the question's words of their rarity (Lucene's inverse document frequency, as our BM25's) times
//    ts_rank_cd of that word alone, divided by 1 + the logarithm of the passage's length (normalisation 1).

/** Words that more than this share of the passages hold rank passages, but find none: half of a large table would be ranked for an "and". */
const COMMON_SHARE = 0.1;
/** In a small table every word finds. */
const ALWAYS_FINDS = 2000;

/** Makes the table of words and how many passages hold each. */
export const countWordsSql = (table: string): string => `
  DROP TABLE IF EXISTS ${table}_words;
  CREATE TABLE ${table}_words AS SELECT word, ndoc AS passages FROM ts_stat('SELECT words FROM ${table}');
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
  )
  SELECT id, score FROM (
    SELECT id, (SELECT sum(rarity * ts_rank_cd(words, query, 1)) FROM asked) AS score
    FROM ${table}
    WHERE words @@ (SELECT string_agg(query::text, ' | ')::tsquery FROM finding)${filter}
  ) AS ranked
  ORDER BY score DESC, id LIMIT $3`;
