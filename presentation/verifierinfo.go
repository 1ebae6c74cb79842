package presentation

import (
	"encoding/json"
	"errors"
	"fmt"

	"regain/internal/strictjson"
	"regain/presentation/dcql"
)

// validateInfo validates verifier_info as strictly as a wallet might (OpenID4VP 1.0 §5.1, §5.11): an array of
// attestations, each with a format, data, and optionally the ids of the credential queries that it applies to.
func validateInfo(info json.RawMessage) error {
	_, err := infoCredentials(info)
	return err
}

// infoMatches returns an error for a verifier_info that names a credential query that the query does not have.
func infoMatches(info json.RawMessage, q dcql.Query) error {
	ids, err := infoCredentials(info)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if _, requested := q.Credential(id); !requested {
			return fmt.Errorf("verifier_info: credential_ids names %q, which the query does not ask for", id)
		}
	}
	return nil
}

// infoCredentials validates verifier_info and returns the ids of the credential queries that it names.
func infoCredentials(info json.RawMessage) (ids []string, err error) {
	const depth = 12
	if info == nil {
		return nil, nil
	}
	parsed, err := strictjson.Parse(info, depth)
	if err != nil {
		return nil, fmt.Errorf("verifier_info: %w", err)
	}
	entries, _ := parsed.([]any)
	if len(entries) == 0 {
		return nil, errors.New("verifier_info: it is no array of attestations, or empty")
	}
	for i, value := range entries {
		entry, _ := value.(map[string]any)
		format, _ := entry["format"].(string)
		text, _ := entry["data"].(string)
		data, _ := entry["data"].(map[string]any)
		if format == "" || text == "" && data == nil {
			return nil, fmt.Errorf("verifier_info[%d]: it needs a format, and data that is a string or an object (OpenID4VP 1.0 §5.1)", i)
		}
		named, there := entry["credential_ids"]
		if !there {
			continue
		}
		list, _ := elements[string](named)
		if len(list) == 0 {
			return nil, fmt.Errorf("verifier_info[%d]: credential_ids is no list of ids, or empty", i)
		}
		ids = append(ids, list...)
	}
	return ids, nil
}
