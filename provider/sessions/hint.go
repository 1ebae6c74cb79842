package sessions

import (
	"context"
	"errors"
	"fmt"

	"regain/storage"
)

// Hint is what a verified ID token says of the sessions that it came from.
type Hint struct {
	Session string // sid, "" for an ID token without one
	Account string // the directory's id of the account; without a sid
	Client  string // for which it was made
}

// maxHinted bounds the sessions of one person that one request ends.
const maxHinted = 32

// Hinted returns the sessions that a hint means, none where they have ended: the one of its sid or, where it names none, those
// of its account in which its client got an ID token. They are few: a person's browsers.
func (all *Sessions) Hinted(ctx context.Context, h Hint) ([]Session, error) {
	if h.Session != "" {
		session, err := all.Get(ctx, h.Session)
		switch {
		case errors.Is(err, ErrNone):
			return nil, nil
		case err != nil:
			return nil, err
		}
		return []Session{session}, nil
	}
	records, err := all.store.List(ctx, kind, groupOf(h.Account), "", maxHinted)
	if err != nil {
		return nil, fmt.Errorf("list sessions: %w", err)
	}
	var found []Session
	for _, record := range records {
		session, err := read(record)
		if err != nil {
			return nil, err
		}
		if _, took := session.Subjects[h.Client]; took {
			found = append(found, session)
		}
	}
	return found, nil
}

// groupOf names an account's sessions in the store, which need not know whose they are.
func groupOf(account string) string { return storage.Digest("session of\x00" + account) }
