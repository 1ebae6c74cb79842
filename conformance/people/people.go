// Package people is a small town of sample people. None of them exists: names, documents and faces are made up here,
// and the faces are drawn by code. The demo's directory, the proofing provider and the wallet's camera share them, so
// that the same person is known to the organisation, carries a document, and can be asked for a selfie.
//
// Each person meets something else in a recovery (see Person.Meets). What they meet follows from their data, never
// from a look-up of who they are: Compare is a function of two pictures, and knows no person.
package people

import "strings"

// Light is the light in which a selfie is taken.
type Light string

// The two conditions that the samples know.
const (
	Good Light = "good"
	Poor Light = "poor"
)

// Person is a made-up person: what the organisation's directory says, what the document says, and what to expect.
type Person struct {
	// ID is the short name, and Account the account name at the main IdP, such as ada.lindqvist@example.org.
	ID, Account string
	// AccountID is the directory's immutable id of the account, a UUID. It is nothing like the name, so that whoever takes
	// one for the other finds nobody.
	AccountID string
	// DirectoryGivenName and DirectoryFamilyName are as the organisation keeps them.
	DirectoryGivenName, DirectoryFamilyName string
	// GivenName and FamilyName are as printed on the document; Birthdate is YYYY-MM-DD.
	GivenName, FamilyName, Birthdate, DocumentType, DocumentNumber string
	// Groups are the directory groups: employees, contractors, pilot, executives.
	Groups []string
	// Meets is one sentence for the demo page: what this person will meet.
	Meets string
	// Light is the light in which this person takes the wallet's selfie.
	Light Light
	// Reported means that the document was reported lost: its credential gets revoked.
	Reported bool

	face face
}

// DirectoryName is the name as the organisation keeps it, for people to read.
func (p Person) DirectoryName() string {
	return strings.TrimSpace(p.DirectoryGivenName + " " + p.DirectoryFamilyName)
}

// PrintedName is the name as the document has it, for people to read.
func (p Person) PrintedName() string { return strings.TrimSpace(p.GivenName + " " + p.FamilyName) }

// Find returns the sample person with this ID, or with this account name.
func Find(id string) (Person, bool) {
	for _, p := range Samples() {
		if p.ID == id || p.Account == id {
			return p, true
		}
	}
	return Person{}, false
}
