package storage

import "context"

// Shared is what a Store implements besides if other processes may write to it, as several nodes do to one database. It is
// how a node hears of their changes. A Store that does not implement it has one process, which makes every change itself.
//
// What it returns only says that a record is worth reading again, so it need not be the last version: a replica that is
// less than a second behind will do.
type Shared interface {
	// Versions returns the versions of those of the records that exist, by id. There are at most MaxVersions ids, each
	// once. It does not read the data of the records.
	Versions(ctx context.Context, kind Kind, ids []string) (map[string]int64, error)
}

// MaxVersions bounds how many ids one call of Versions has.
const MaxVersions = 1000
