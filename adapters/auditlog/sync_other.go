//go:build !linux

package auditlog

import "os"

// diskFile is a file whose Sync makes its data durable.
type diskFile struct{ *os.File }
