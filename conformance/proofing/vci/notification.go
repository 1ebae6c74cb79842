package vci

import (
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"

	"regain/conformance/proofing/web"
)

// notifications is the Notification Endpoint.
type notifications struct {
	access *access
	grants *grants
	revoke func(name string) error
	errors web.Errors
}

// serve hears what became of credentials (OpenID4VCI 1.0 §11). Those that the wallet did not keep are
// revoked: a credential that was not kept must not be shown.
func (n *notifications) serve(w http.ResponseWriter, r *http.Request) {
	if err := n.notify(r); err != nil {
		n.errors.Fail(w, r, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (n *notifications) notify(r *http.Request) error {
	held, err := n.access.find(r)
	if err != nil {
		return err
	}
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind != "application/json" {
		return web.Refuse("invalid_notification_request", "the request must be application/json")
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return web.RefuseUnread(err, "invalid_notification_request")
	}
	var request struct {
		ID          string  `json:"notification_id"`
		Event       string  `json:"event"`
		Description *string `json:"event_description"`
	}
	if err := web.DecodeJSON(body, &request); err != nil || request.ID == "" {
		return web.Refuse("invalid_notification_request", "the request is no JSON object with a notification_id")
	}
	if !slices.Contains([]string{"credential_accepted", "credential_failure", "credential_deleted"}, request.Event) {
		return web.Refuse("invalid_notification_request", "the event is missing or not known")
	}
	if request.Description != nil && strings.ContainsFunc(*request.Description, func(c rune) bool {
		return c < 0x20 || c > 0x7e || c == '"' || c == '\\'
	}) {
		return web.Refuse("invalid_notification_request", "event_description has characters that it must not have")
	}
	about, found := n.grants.noticed(request.ID, held)
	if !found {
		return web.Refuse("invalid_notification_id", "the notification_id did not come with this access token")
	}
	n.errors.Logger.InfoContext(r.Context(), "wallet notified", "event", request.Event, "credentials", len(about))
	if request.Event == "credential_accepted" {
		return nil
	}
	for _, name := range about {
		if err := n.revoke(name); err != nil {
			return err
		}
	}
	return nil
}
