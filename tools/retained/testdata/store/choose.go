package main

import (
	"fmt"

	tea "github.com/charmbracelet/bubbletea"
)

type model struct {
	names  []string
	at     int
	chosen string
}

func (m model) Init() tea.Cmd { return nil }

func (m model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	if key, ok := msg.(tea.KeyMsg); ok {
		switch key.String() {
		case "q", "ctrl+c":
			return m, tea.Quit
		case "up":
			m.at = max(0, m.at-1)
		case "down":
			m.at = min(len(m.names)-1, m.at+1)
		case "enter":
			m.chosen = m.names[m.at]
			return m, tea.Quit
		}
	}
	return m, nil
}

func (m model) View() string {
	s := ""
	for i, name := range m.names {
		mark := " "
		if i == m.at {
			mark = ">"
		}
		s += fmt.Sprintf("%s %s\n", mark, name)
	}
	return s
}

func choose(names []string) (string, error) {
	if len(names) == 0 {
		return "", nil
	}
	m, err := tea.NewProgram(model{names: names}).Run()
	if err != nil {
		return "", err
	}
	return m.(model).chosen, nil
}
