package clients

import (
	"errors"
	"fmt"

	"regain/provider/contract"
	"regain/recovery"
)

// SubjectSource is the part of an account that is its sub for a client. OpenID Connect Core 1.0 §2 and §5.7 want a sub
// that is never reassigned: a directory's id is that, a name only where the organisation gives no name to a second person.
type SubjectSource string

// The sources.
const (
	SubjectName SubjectSource = "name" // the directory's name of the account, in the directory's spelling; the default
	SubjectID   SubjectSource = "id"   // the directory's immutable id of the account
)

// Subject returns the sub of an account for the client. It does not depend on how the account was named in a request.
func (c *Client) Subject(account recovery.Account) string {
	if c.SubjectFrom == SubjectID || c.Contract == contract.OktaIDV { // Okta names accounts by its own id, which is the directory's
		return string(account.ID)
	}
	return string(account.Name)
}

// Validate returns an error for a source that there is not. The empty one is the default.
func (s SubjectSource) Validate() error {
	switch s {
	case "", SubjectName, SubjectID:
		return nil
	}
	return fmt.Errorf("subject %q is unknown; use %s or %s", s, SubjectName, SubjectID)
}

func (c *Client) checkSubject() error {
	if err := c.SubjectFrom.Validate(); err != nil {
		return err
	}
	if c.SubjectFrom != "" && c.Contract != "" {
		return errors.New("subject: the contract settles it; leave it out")
	}
	return nil
}
