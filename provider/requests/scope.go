package requests

import (
	"net/http"
	"slices"
	"strings"

	"regain/provider/clients"
	"regain/provider/contract"
	"regain/provider/problem"
)

// knownScopes returns the scopes of a request that this server knows, each once. Others are ignored (OpenID Connect
// Core 1.0 §3.1.2.1): the answer says which were granted. A text that is no list of scopes is refused (RFC 6749 §3.3).
func knownScopes(text string) ([]string, *problem.Error) {
	if strings.ContainsFunc(text, notInScope) {
		return nil, problem.New(http.StatusBadRequest, "invalid_scope", "The scope has a character that no scope may have.")
	}
	var known []string
	for scope := range strings.SplitSeq(text, " ") {
		if slices.Contains(clients.Scopes(), scope) && !slices.Contains(known, scope) {
			known = append(known, scope)
		}
	}
	return known, nil
}

// notInScope reports a character that is in no scope-token, and is not the space between two (RFC 6749 §3.3).
func notInScope(r rune) bool { return r < ' ' || r > '~' || r == '"' || r == '\\' }

// readScope returns the scope that a request asks for, without what this server does not know. A scope that the client
// is not registered for is refused and not ignored, as RFC 6749 §3.3 leaves it: without the scope recovery a recovery
// would become a sign-in, and without offline_access the client would miss its refresh token only much later.
func readScope(client *clients.Client, text string) (string, *problem.Error) {
	known, refusal := knownScopes(text)
	switch {
	case refusal != nil:
		return "", refusal
	case !slices.Contains(known, clients.ScopeOpenID):
		return "", problem.New(http.StatusBadRequest, "invalid_scope", "The scope must contain openid.")
	case client.Contract == contract.OktaIDV:
		return clients.ScopeOpenID, nil // whose other scopes change nothing here
	}
	for _, scope := range known {
		if !slices.Contains(client.Scope(), scope) {
			return "", problem.New(http.StatusBadRequest, "invalid_scope", "The client is not allowed to request scope '"+scope+"'; register it for the client.")
		}
	}
	return strings.Join(known, " "), nil
}

// Narrowed returns the scopes of a refreshed token: those that were granted, or those of them that the request names
// (RFC 6749 §6). Scopes that the authorization request's reader ignored are ignored here too.
func Narrowed(granted []string, text string) ([]string, *problem.Error) {
	if strings.TrimSpace(text) == "" {
		return granted, nil
	}
	wanted, refusal := knownScopes(text)
	switch {
	case refusal != nil:
		return nil, refusal
	case len(wanted) == 0:
		return nil, problem.New(http.StatusBadRequest, "invalid_scope", "None of these scopes was granted.")
	}
	for _, scope := range wanted {
		if !slices.Contains(granted, scope) {
			return nil, problem.New(http.StatusBadRequest, "invalid_scope", "A refresh cannot add scopes.")
		}
	}
	return wanted, nil
}
