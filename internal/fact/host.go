package fact

import (
	"fmt"
	"slices"
)

// Host is the machine and the system that an execution ran on, as its system says.
type Host struct {
	Name string `json:"name"` // the system's host name
	// Boot names one start of one machine's kernel, so that what has the same ran on
	// one machine, in containers as well. "" where the system does not say.
	Boot   string `json:"boot,omitempty"`
	System string `json:"system"`           // GOOS/GOARCH of the program that built
	Kernel string `json:"kernel,omitempty"` // its release
	// Container says that the system showed the marks of a container. That it shows
	// none proves nothing.
	Container bool `json:"container,omitempty"`
}

// Independence says how far executions of one unit were from each other.
type Independence string

const (
	// TwoMachines: at least two of them ran on machines of other names, and under
	// kernels that were started apart.
	TwoMachines Independence = "two machines"
	// OneMachine: in two places on one machine, which share its kernel, clock and memory.
	OneMachine Independence = "two places on one machine"
	// Unproven: it is not known that they were two executions in two places.
	Unproven Independence = "unproven"
)

// Requirement is what a profile file demands of a release besides: the values of the
// key require.
type Requirement string

// RequireMachines demands that every unit is built on two machines.
const RequireMachines Requirement = "machines"

// Requirements are all that there are.
func Requirements() []Requirement { return []Requirement{RequireMachines} }

// Hint says how a release comes to meet it.
func (Requirement) Hint() string {
	return "name two machines with -on: -on=here,ssh://HOST builds each unit once on this one and once on HOST; of a release in parts, build those of -place=a and those of -place=b on two machines"
}

// Execution is what is known of where one execution ran.
type Execution struct {
	Host Host
	// Here says that this program ran it by itself; otherwise a receipt says where.
	Here bool
	// Nonce is that of the receipt: no other execution was given the same. "" for an
	// execution that ran here.
	Nonce string
}

// Independences are all words that there are for it, the strongest first.
func Independences() []Independence { return []Independence{TwoMachines, OneMachine, Unproven} }

// On says for people where that many executions ran: "on two machines". It ends a
// sentence on what was built how often.
func (i Independence) On(executions int) string {
	switch {
	case i == TwoMachines && executions == 2:
		return "on two machines"
	case i == TwoMachines:
		return "on at least two machines"
	case i == OneMachine:
		return fmt.Sprintf("in %s on one machine", places(executions))
	}
	return "in places that are not proven to be apart"
}

func places(n int) string {
	if n == 2 {
		return "two places"
	}
	return Count(n, "place")
}

// Independent says what executions of one unit were to each other; "" for fewer
// than two, of which there is nothing to say. missing is what is not known of those
// that are [Unproven], and names no machine. elsewhere are executions of other units:
// what has the nonce of one of them may be its outcome.
//
// Two that ran here are two by themselves. Two of which one ran elsewhere are two
// only with nonces of their own, since an engine may run equal work once and give
// its result twice.
func Independent(list []Execution, elsewhere ...Execution) (_ Independence, missing string) {
	if len(list) < 2 {
		return "", ""
	}
	used, nonces := map[string]bool{}, map[string]bool{}
	for _, e := range elsewhere {
		used[e.Nonce] = true
	}
	machines, unknown := false, false
	for i, e := range list {
		if !e.Here {
			switch {
			case e.Nonce == "":
				return Unproven, "a receipt has no nonce, so it may be that of another execution"
			case nonces[e.Nonce]:
				return Unproven, "two receipts have one nonce, so they may be of one execution"
			case used[e.Nonce]:
				return Unproven, "a receipt has the nonce of another unit's, so it may be of that execution"
			}
			nonces[e.Nonce] = true
		}
		for _, other := range list[:i] {
			switch {
			case e.Here && other.Here:
			case e.Host.Boot == "" || other.Host.Boot == "":
				unknown = true
			case e.Host.Boot != other.Host.Boot && e.Host.Name != other.Host.Name:
				machines = true
			}
		}
	}
	switch {
	case machines:
		return TwoMachines, ""
	case unknown:
		return Unproven, "a machine does not say which one it is, so it may be that of another build"
	}
	return OneMachine, ""
}

// Systems are the systems that executions of one unit ran on, sorted, where they are
// not all the same; else nil.
func Systems(list []Execution) (systems []string) {
	for _, e := range list {
		if e.Host.System != "" {
			systems = append(systems, e.Host.System)
		}
	}
	slices.Sort(systems)
	if systems = slices.Compact(systems); len(systems) < 2 {
		return nil
	}
	return systems
}
