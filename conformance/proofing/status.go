package proofing

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// The status values (Token Status List §7.1). Two bits hold them.
const (
	statusValid     = 0
	statusInvalid   = 1
	statusSuspended = 2

	statusBits = 2
	listLength = 1 << 15

	statusDecoys = 32
)

// ErrUnknownCredential means that this server issued no credential with that name.
var ErrUnknownCredential = errors.New("no such credential")

// statusList is one list. Entries are given out in random order, so that an index says nothing about when a Verified
// ID was issued (Token Status List §12.5).
type statusList struct {
	uri    string
	taken  [listLength]bool
	used   int
	decoys []int // invalid entries without a credential
	bits   [listLength * statusBits / 8]byte

	signed   string // the token last made, until an entry changes or it grows old
	signedAt time.Time
}

func (l *statusList) set(index int, value byte) {
	shift := (index % 4) * statusBits // the lowest bits come first (§4.1)
	l.bits[index/4] = l.bits[index/4]&^(3<<shift) | value<<shift
	l.signed = ""
}

// enroll finds a place in a status list for a new credential. One for a document that was reported lost gets an entry
// that has said so since the list began.
func (s *Server) enroll(reported bool) (*credential, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := len(s.lists); n == 0 || s.lists[n-1].used >= listLength/2 || reported && len(s.lists[n-1].decoys) == 0 {
		list, err := s.newList(n + 1)
		if err != nil {
			return nil, err
		}
		s.lists = append(s.lists, list)
	}
	list := s.lists[len(s.lists)-1]
	record := &credential{list: list}
	if reported {
		last := len(list.decoys) - 1
		record.index, list.decoys = list.decoys[last], list.decoys[:last]
	} else {
		var err error
		if record.index, err = s.draw(list); err != nil {
			return nil, err
		}
	}
	return record, nil
}

// remember lets a credential's status be changed by what names the credential.
func (s *Server) remember(id string, record *credential) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.credentials[id] = record
}

// newList makes a list with some decoys: entries that are invalid and belong to no credential, so that counting the
// invalid ones says little (Token Status List §12.5). Because they were there first, a verifier that keeps an older
// copy of the list already knows of a document that was reported lost before its Verified ID was fetched.
func (s *Server) newList(number int) (*statusList, error) {
	list := &statusList{uri: s.config.BaseURL + "/status/" + strconv.Itoa(number)}
	for range statusDecoys {
		index, err := s.draw(list)
		if err != nil {
			return nil, err
		}
		list.set(index, statusInvalid)
		list.decoys = append(list.decoys, index)
	}
	return list, nil
}

// draw takes a random free index. At least half of a list is free.
func (s *Server) draw(list *statusList) (int, error) {
	var raw [4]byte
	if _, err := io.ReadFull(s.config.Random, raw[:]); err != nil {
		return 0, fmt.Errorf("choosing a status index: %w", err)
	}
	index := int(binary.BigEndian.Uint32(raw[:]) % listLength)
	for list.taken[index] {
		index = (index + 1) % listLength
	}
	list.taken[index] = true
	list.used++
	return index, nil
}

// Revoke marks a Verified ID as invalid for good.
func (s *Server) Revoke(jti string) error { return s.mark(jti, statusInvalid) }

// Suspend marks a Verified ID as not valid for now.
func (s *Server) Suspend(jti string) error { return s.mark(jti, statusSuspended) }

// Restore makes a suspended or revoked Verified ID valid again. Tests use it.
func (s *Server) Restore(jti string) error { return s.mark(jti, statusValid) }

func (s *Server) mark(jti string, value byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	record, found := s.credentials[jti]
	if !found {
		return fmt.Errorf("setting the status of %q: %w", jti, ErrUnknownCredential)
	}
	record.list.set(record.index, value)
	return nil
}

// serveStatus answers with the Status List Token (Token Status List §8.1).
func (s *Server) serveStatus(w http.ResponseWriter, r *http.Request) {
	number, err := strconv.Atoi(r.PathValue("list"))
	if err != nil || r.PathValue("list") != strconv.Itoa(number) {
		http.NotFound(w, r)
		return
	}
	if r.URL.Query().Has("time") {
		http.Error(w, "no historical status lists here", http.StatusNotImplemented) // §8.4
		return
	}
	token, err := s.statusToken(number)
	switch {
	case errors.Is(err, errNoList):
		http.NotFound(w, r)
	case err != nil:
		s.fault(w, r, err)
	default:
		w.Header().Set("Content-Type", "application/statuslist+jwt")
		w.Header().Set("Cache-Control", "max-age="+strconv.Itoa(int(s.config.StatusTTL.Seconds())))
		_, _ = io.WriteString(w, token)
	}
}

var errNoList = errors.New("no such status list")

func (s *Server) statusToken(number int) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if number < 1 || number > len(s.lists) {
		return "", errNoList
	}
	list, now := s.lists[number-1], s.config.Clock()
	if age := now.Sub(list.signedAt); list.signed != "" && age >= 0 && age < s.config.StatusTTL/2 {
		return list.signed, nil
	}
	var packed bytes.Buffer
	press := zlib.NewWriter(&packed)
	if _, err := press.Write(list.bits[:]); err != nil {
		return "", fmt.Errorf("packing a status list: %w", err)
	}
	if err := press.Close(); err != nil {
		return "", fmt.Errorf("packing a status list: %w", err)
	}
	sign := s.ca.status.sign
	if s.config.BareStatusKey {
		sign = s.ca.status.signBare
	}
	signed, err := sign("statuslist+jwt", map[string]any{
		"sub": list.uri, "iat": now.Unix(), "exp": now.Add(2 * s.config.StatusTTL).Unix(),
		"ttl":         int(s.config.StatusTTL.Seconds()),
		"status_list": map[string]any{"bits": statusBits, "lst": base64.RawURLEncoding.EncodeToString(packed.Bytes())},
	})
	if err != nil {
		return "", err
	}
	list.signed, list.signedAt = signed, now
	return signed, nil
}
