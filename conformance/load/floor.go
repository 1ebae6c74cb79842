package load

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// What one recovery does, in operations of the standard library.
const (
	// Client assertions at PAR, token and pass; Verified ID and receipt: issuer's and holder's signature each. Chains
	// and status lists are not among them: they are verified once and remembered.
	verifications = 3 + 4
	// Request object, ID token, recovery token.
	signatures = 3
	// The key that the wallet encrypts to; the ephemeral half of the recovery token's encryption.
	keyPairs = 2
	// Opening the wallet's answer, sealing the recovery token.
	agreements = 2
	// Beside these, hashes and HMACs (hashes.go), and AES-GCM of the wallet's answer, of the recovery token, and of every
	// record that goes into the store and comes out of it, as the run counted them.
)

// Sizes in bytes of what is encrypted, as scripts/count found them.
const (
	answerSize = 4_970 // two SD-JWTs
	tokenSize  = 1_352
)

// rounds of the measurement; the median is taken, since other programs run on the machine too.
const (
	rounds  = 10
	repeats = 10
)

// store encrypts and decrypts as many bytes as the records of one recovery have.
func (f *floor) store(nonce []byte) error {
	for range f.each.Sealed.Records {
		f.aead.Seal(nil, nonce, f.record[:f.each.Sealed.size()], nil)
	}
	sealed := f.aead.Seal(nil, nonce, f.record[:f.each.Opened.size()], nil)
	for range f.each.Opened.Records {
		if _, err := f.aead.Open(nil, nonce, sealed, nil); err != nil {
			return errors.Join(errFloor, err)
		}
	}
	return nil
}

// cryptoFloor measures the cryptography of one recovery with nothing around it, by the CPU clock of its thread: what it is
// compared with is CPU time too, and on a busy machine more time passes.
func cryptoFloor(each Usage, kept store) (time.Duration, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	f, err := newFloor(each, newHasher(make([]byte, sha256.Size), hashesOfNode(), kept.hashes))
	if err != nil {
		return 0, err
	}
	times := make([]time.Duration, 0, rounds)
	for range rounds {
		start, err := threadTime()
		if err != nil {
			return 0, err
		}
		for range repeats {
			if err := f.recovery(); err != nil {
				return 0, err
			}
		}
		end, err := threadTime()
		if err != nil {
			return 0, err
		}
		times = append(times, (end-start)/repeats)
	}
	slices.Sort(times)
	return times[rounds/2], nil
}

// threadTime is the CPU time of this thread, user and system.
func threadTime() (time.Duration, error) {
	var used unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &used); err != nil {
		return 0, fmt.Errorf("measure the floor: %w", err)
	}
	return time.Duration(used.Nano()), nil
}

type floor struct {
	key       *ecdsa.PrivateKey
	digest    [sha256.Size]byte
	signature []byte
	mine      *ecdh.PrivateKey
	theirs    *ecdh.PublicKey
	aead      cipher.AEAD
	sealed    []byte
	plain     []byte
	each      Usage
	record    []byte
	hashes    *hasher
}

// maxRecord bounds the size at which the store's encryption is measured.
const maxRecord = 1 << 20

// size of one record on average.
func (t Traffic) size() int64 {
	if t.Records == 0 {
		return 0
	}
	return min(t.Bytes/t.Records, maxRecord)
}

func newFloor(each Usage, h *hasher) (*floor, error) {
	f := &floor{each: each, hashes: h, record: make([]byte, maxRecord), digest: sha256.Sum256([]byte("floor")), plain: make([]byte, tokenSize)}
	var err error
	if f.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		return nil, fmt.Errorf("measure the floor: %w", err)
	}
	if f.signature, err = ecdsa.SignASN1(rand.Reader, f.key, f.digest[:]); err != nil {
		return nil, fmt.Errorf("measure the floor: %w", err)
	}
	if f.mine, err = ecdh.P256().GenerateKey(rand.Reader); err != nil {
		return nil, fmt.Errorf("measure the floor: %w", err)
	}
	f.theirs = f.mine.PublicKey()
	block, err := aes.NewCipher(make([]byte, 32))
	if err != nil {
		return nil, fmt.Errorf("measure the floor: %w", err)
	}
	if f.aead, err = cipher.NewGCM(block); err != nil {
		return nil, fmt.Errorf("measure the floor: %w", err)
	}
	f.sealed = f.aead.Seal(nil, make([]byte, f.aead.NonceSize()), make([]byte, answerSize), nil)
	return f, nil
}

var errFloor = errors.New("measure the floor: an operation failed")

func (f *floor) recovery() error {
	for range verifications {
		if !ecdsa.VerifyASN1(&f.key.PublicKey, f.digest[:], f.signature) {
			return errFloor
		}
	}
	for range signatures {
		if _, err := ecdsa.SignASN1(rand.Reader, f.key, f.digest[:]); err != nil {
			return errors.Join(errFloor, err)
		}
	}
	for range keyPairs {
		pair, err := ecdh.P256().GenerateKey(rand.Reader)
		if err != nil {
			return errors.Join(errFloor, err)
		}
		_ = pair.PublicKey() // its multiplication is a part of making a key
	}
	for range agreements {
		if _, err := f.mine.ECDH(f.theirs); err != nil {
			return errors.Join(errFloor, err)
		}
	}
	nonce := make([]byte, f.aead.NonceSize())
	if _, err := f.aead.Open(nil, nonce, f.sealed, nil); err != nil {
		return errors.Join(errFloor, err)
	}
	f.aead.Seal(nil, nonce, f.plain, nil)
	f.hashes.make(f.record)
	return f.store(nonce)
}
