// Says, line by line, what the npm package dcql makes of presentations as the answer to a query: JSON
// {"query", "presentation"} in, a verdict on every presentation, claim and set out. presentation/dcql compares itself
// with it; its npm_test.go says what the members mean.
import { createInterface } from "node:readline";
import { DcqlPresentationResult, DcqlQuery } from "dcql";

const ofPresentation = ({ meta, claims, trusted_authorities }) => ({
  meta: meta.success,
  claims: claims.success,
  authority: trusted_authorities.success,
  failed: claims.success ? null : claims.failed_claims.map((claim) => claim.claim_index),
  set: claims.valid_claim_sets?.[0].claim_set_index ?? null,
});

const ofCredential = ({ valid_credentials = [], failed_credentials = [] }) =>
  [...valid_credentials, ...failed_credentials].sort((a, b) => a.input_credential_index - b.input_credential_index).map(ofPresentation);

// The options that match come without their places; they are the very arrays of the query.
const ofSet = ({ options, matching_options = [] }) => options.flatMap((option, index) => (matching_options.includes(option) ? [index] : []));

function verdict({ query, presentation }) {
  const dcqlQuery = DcqlQuery.parse(query);
  DcqlQuery.validate(dcqlQuery);
  let result;
  try {
    result = DcqlPresentationResult.fromDcqlPresentation(presentation, { dcqlQuery });
  } catch (error) {
    return { error: String(error.message) };
  }
  return {
    satisfied: Boolean(result.can_be_satisfied),
    credentials: Object.fromEntries(Object.entries(result.credential_matches).map(([id, match]) => [id, ofCredential(match)])),
    options: result.credential_sets?.map(ofSet) ?? null,
  };
}

for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(verdict(JSON.parse(line))));
}
