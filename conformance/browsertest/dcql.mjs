// Answers, line by line, whether the npm package dcql takes presentations for an answer to a query: JSON
// {"query", "presentation"} in, "true" or "false" out. presentation/dcql compares itself with it.
import { createInterface } from "node:readline";
import { DcqlPresentationResult, DcqlQuery } from "dcql";

for await (const line of createInterface({ input: process.stdin })) {
  const { query, presentation } = JSON.parse(line);
  try {
    const parsed = DcqlQuery.parse(query);
    DcqlQuery.validate(parsed);
    console.log(DcqlPresentationResult.fromDcqlPresentation(presentation, { dcqlQuery: parsed }).can_be_satisfied);
  } catch (error) {
    console.log(`error ${String(error.message).replaceAll("\n", " ").slice(0, 300)}`);
  }
}
