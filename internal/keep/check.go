package keep

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"regain/adapters/auditlog"
	"regain/internal/config"
)

// checkWritten reports whether a file that the node writes can be what it should be, and could be written by the one
// who asks: it is there, or its directory is. It opens nothing for writing, makes nothing and locks nothing: a check runs
// beside the node, and as root, whose files the node could not open.
func checkWritten(path string) error {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		if path = filepath.Dir(path); path == "" {
			path = "."
		}
		if info, err = os.Stat(path); err == nil && !info.IsDir() {
			err = fmt.Errorf("%s is no directory", path)
		}
	} else if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is no file", path)
	}
	if err != nil {
		return err
	}
	return checkAccess(path)
}

// checkAudit is checkWritten for an audit log, of which it reads what a start reads.
func checkAudit(cfg config.AuditConfig) error {
	if err := checkWritten(cfg.File); err != nil {
		return fmt.Errorf("audit.file: %w", err)
	}
	options, err := AuditOptions(cfg)
	if err != nil {
		return err
	}
	if err := auditlog.Examine(options); err != nil {
		return fmt.Errorf("audit.file: %w", err)
	}
	return nil
}
