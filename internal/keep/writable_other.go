//go:build !unix

package keep

// checkAccess finds fault with nothing: only an attempt would tell.
func checkAccess(string) error { return nil }
