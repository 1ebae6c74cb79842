// Package status keeps the status of each credential of the provider in Token Status Lists, and publishes them
// (draft-ietf-oauth-status-list).
package status
