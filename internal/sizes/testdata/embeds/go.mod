module example.com/embeds

go 1.21
