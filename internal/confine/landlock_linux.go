package confine

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	"github.com/landlock-lsm/go-landlock/landlock"
	ll "github.com/landlock-lsm/go-landlock/landlock/syscall"
	"github.com/mintmark/mintmark/internal/fact"
	"golang.org/x/sys/unix"
)

// domain is a Landlock ruleset that threads may enter.
type domain struct {
	fd     int // -1: there is no Landlock
	flags  uint32
	writes fact.Hold // what a thread in it is held from
	tcp    bool      // it is also held from TCP
}

// Rights that change files, and those of them that a file can give.
const (
	changeFiles = ll.AccessFSWriteFile | ll.AccessFSRemoveDir | ll.AccessFSRemoveFile | ll.AccessFSMakeChar | ll.AccessFSMakeDir |
		ll.AccessFSMakeReg | ll.AccessFSMakeSock | ll.AccessFSMakeFifo | ll.AccessFSMakeBlock | ll.AccessFSMakeSym
	changeFile = ll.AccessFSWriteFile | ll.AccessFSTruncate
)

// enough is the first version that keeps files from being truncated (Linux 6.2).
const enough = 3

// handled are the rights that a kernel of that version can take away, of those
// that a build has no business with.
func handled(version int, signals bool) (fs landlock.AccessFSSet, net landlock.AccessNetSet, scoped landlock.ScopedSet) {
	fs = changeFiles
	if version >= 2 {
		fs |= ll.AccessFSRefer // without it files are not moved between directories at all
	}
	if version >= 3 {
		fs |= ll.AccessFSTruncate
	}
	if version >= 4 {
		net |= ll.AccessNetBindTCP | ll.AccessNetConnectTCP
	}
	if version >= 5 {
		fs |= ll.AccessFSIoctlDev
	}
	if version >= 6 {
		scoped |= ll.ScopeAbstractUnixSocket
		if signals {
			scoped |= ll.ScopeSignal
		}
	}
	if version >= 9 {
		fs |= ll.AccessFSResolveUnix
	}
	if version >= 10 {
		net |= ll.AccessNetBindUDP | ll.AccessNetConnectSendUDP
	}
	return fs, net, scoped
}

// newDomain makes a ruleset that lets the named files and directories be
// written, or says in its writes why there is none. The error is about the names.
func newDomain(write []string) (*domain, error) {
	version, err := ll.LandlockGetABIVersion()
	if err != nil {
		return &domain{fd: -1, writes: fact.Hold{Reason: "no Landlock: " + unavailable(err)}}, nil
	}
	// A confined thread of ours must be able to signal the others: the runtime
	// stops threads for garbage collection in that way. Kernels without the
	// correction number 2 would refuse it.
	errata, err := ll.LandlockGetErrata()
	fs, net, scoped := handled(version, err == nil && errata&(1<<1) != 0)
	cfg := landlock.Config{HandledAccessFS: fs, HandledAccessNet: net, Scoped: scoped}
	rules := []landlock.Rule{landlock.PathAccess(changeFile&fs, os.DevNull)}
	for _, name := range write {
		fi, err := os.Stat(name)
		if err != nil {
			return nil, fmt.Errorf("to be written by a command: %w", err)
		}
		if fi.IsDir() {
			rules = append(rules, landlock.PathAccess(fs&^ll.AccessFSIoctlDev, name))
		} else {
			rules = append(rules, landlock.PathAccess(changeFile&fs, name))
		}
	}
	dom := &domain{writes: fact.Hold{Held: version >= enough}, tcp: version >= 4}
	if !dom.writes.Held {
		dom.writes.Reason = fmt.Sprintf("Landlock version %d does not keep files from being truncated (Linux 6.2 does)", version)
	}
	if dom.fd, dom.flags, err = cfg.NewRulesetFD(rules...); err != nil {
		return nil, err
	}
	return dom, nil
}

// unavailable says why a kernel offers no Landlock.
func unavailable(err error) string {
	switch {
	case errors.Is(err, syscall.ENOSYS):
		return "this kernel has none (Linux 5.13 does), or a container hides it"
	case errors.Is(err, syscall.EOPNOTSUPP):
		return "it was not enabled when this kernel started (lsm=landlock)"
	}
	return err.Error()
}

// enter puts the calling thread into the domain, which it cannot leave, not
// even by a setuid program. The error is a refusedError.
func (d *domain) enter() error {
	// The kernel insists on this for a domain. Without one it is worth having for
	// the network namespace.
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return &refusedError{err}
	}
	if d.fd < 0 {
		return nil
	}
	if err := ll.LandlockRestrictSelf(d.fd, d.flags); err != nil {
		return &refusedError{err}
	}
	return nil
}

// leave gives the domain up, for whoever enters it from now on.
func (d *domain) leave(reason string) {
	d.close()
	d.fd, d.tcp, d.writes = -1, false, fact.Hold{Reason: reason}
}

func (d *domain) close() {
	if d.fd >= 0 {
		syscall.Close(d.fd)
	}
}
