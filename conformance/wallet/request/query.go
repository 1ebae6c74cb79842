package request

import (
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4/json"

	"regain/conformance/wallet/agent"
	"regain/conformance/wallet/dcql"
)

// query parses the DCQL query, or puts together those that the scope values stand for (OpenID4VP 1.0 §5.5).
func (p Policy) query(asked parameters) (dcql.Query, error) {
	if (asked.Query == nil) == (asked.Scope == nil) {
		return dcql.Query{}, turnDown(InvalidRequest, "it has to hold dcql_query and no scope, or a known scope and no dcql_query")
	}
	if asked.Query != nil {
		return parseQuery(asked.Query)
	}
	var whole dcql.Query
	var sets int
	values := strings.Fields(*asked.Scope)
	for _, value := range values {
		raw, known := p.Scopes[value]
		if !known {
			return dcql.Query{}, turnDown(InvalidScope, "scope holds a value that stands for no query")
		}
		q, err := parseQuery(json.RawMessage(raw))
		if err != nil {
			return dcql.Query{}, err
		}
		if q.Sets != nil {
			sets++
		}
		whole.Credentials = append(whole.Credentials, q.Credentials...)
		whole.Sets = append(whole.Sets, q.Sets...)
	}
	// A query without credential_sets asks for all it names, which the sets of another would undo.
	if len(values) == 0 || (sets > 0 && sets < len(values)) || repeats(whole) {
		return dcql.Query{}, turnDown(InvalidScope, "its scope values stand for no query together")
	}
	return whole, nil
}

func parseQuery(raw json.RawMessage) (dcql.Query, error) {
	q, err := dcql.Parse(raw)
	if err != nil {
		return q, turnDown(InvalidRequest, "%w", err)
	}
	return q, nil
}

func repeats(q dcql.Query) bool {
	ids := queryIDs(q)
	slices.Sort(ids)
	return len(slices.Compact(ids)) != len(q.Credentials)
}

func queryIDs(q dcql.Query) []string {
	var ids []string
	for _, c := range q.Credentials {
		ids = append(ids, c.ID)
	}
	return ids
}

// readInfo reads verifier_info (OpenID4VP 1.0 §5.1, §5.11): its shape has to be right, whatever is in it.
func readInfo(raw json.RawMessage, q dcql.Query) ([]Info, error) {
	if raw == nil {
		return nil, nil
	}
	var entries []struct {
		Format  string          `json:"format"`
		Data    json.RawMessage `json:"data"`
		Queries []string        `json:"credential_ids"`
	}
	if err := json.Unmarshal(raw, &entries); err != nil || len(entries) == 0 || len(entries) > maxInfo {
		return nil, turnDown(InvalidRequest, "verifier_info is not a list of attestations")
	}
	var all []Info
	for _, e := range entries {
		if e.Format == "" || !textOrObject(e.Data) {
			return nil, turnDown(InvalidRequest, "verifier_info: an entry has no format, or data that is neither text nor an object")
		}
		if e.Queries != nil && !allKnown(e.Queries, q) {
			return nil, turnDown(InvalidRequest, "verifier_info: credential_ids names no credential query")
		}
		all = append(all, Info{Format: agent.Clip(e.Format), Data: []byte(e.Data), Queries: e.Queries})
	}
	return all, nil
}

const maxInfo = 16

func textOrObject(raw json.RawMessage) bool {
	return len(raw) > 0 && (raw[0] == '"' || raw[0] == '{')
}

// allKnown reports whether there is something in ids, and all of it are ids of credential queries.
func allKnown(ids []string, q dcql.Query) bool {
	known := queryIDs(q)
	return len(ids) > 0 && !slices.ContainsFunc(ids, func(id string) bool { return !slices.Contains(known, id) })
}
