package storage

import "errors"

// ErrUnavailable means that a backend does not answer, or says that it cannot do so just now. Nothing has changed, and nothing
// is wrong that waiting may not cure: a node that starts tries again. An error that is not this one has a cause that stays
// until somebody does something.
var ErrUnavailable = errors.New("the store is not available")
