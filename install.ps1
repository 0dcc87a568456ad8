# Installs a prebuilt mintmark on Windows: finds the archive for this machine in a
# release's checksums.txt, downloads it, compares its SHA-256 with the list, and
# unpacks the program. docs/install.md says what that proves.
#
# Variables:
#   MINTMARK_VERSION  the release, such as v1.2.3; default: the latest
#   MINTMARK_URL      where the files of the release are, instead
#   MINTMARK_BIN      directory for the program; default: %LOCALAPPDATA%\Programs\mintmark

& { # half a script does nothing
    $ErrorActionPreference = 'Stop'
    $ProgressPreference = 'SilentlyContinue' # it makes downloads slow
    [Net.ServicePointManager]::SecurityProtocol = [Net.ServicePointManager]::SecurityProtocol -bor [Net.SecurityProtocolType]::Tls12

    $machine = $env:PROCESSOR_ARCHITECTURE
    if ($env:PROCESSOR_ARCHITEW6432) { $machine = $env:PROCESSOR_ARCHITEW6432 } # a 32-bit PowerShell
    switch ($machine) {
        'AMD64' { $arch = 'amd64' }
        'ARM64' { $arch = 'arm64' }
        default { throw "no prebuilt mintmark for ${machine}: go install github.com/mintmark/mintmark/cmd/mintmark@latest" }
    }
    $releases = 'https://github.com/mintmark/mintmark/releases'
    if ($env:MINTMARK_URL) { $url = $env:MINTMARK_URL.TrimEnd('/') }
    elseif ($env:MINTMARK_VERSION) { $url = "$releases/download/$env:MINTMARK_VERSION" }
    else { $url = "$releases/latest/download" }
    $bin = $env:MINTMARK_BIN
    if (-not $bin) { $bin = Join-Path $env:LOCALAPPDATA 'Programs\mintmark' }

    $tmp = Join-Path ([IO.Path]::GetTempPath()) ([IO.Path]::GetRandomFileName())
    New-Item -ItemType Directory -Path $tmp | Out-Null
    try {
        Invoke-WebRequest -UseBasicParsing -Uri "$url/checksums.txt" -OutFile (Join-Path $tmp 'checksums.txt')
        $lines = @(Get-Content (Join-Path $tmp 'checksums.txt') |
            Where-Object { $_ -cmatch "^[0-9a-f]{64}  mintmark_[0-9A-Za-z.+-]+_windows_$arch\.zip$" })
        if ($lines.Count -ne 1) { throw "$url/checksums.txt lists $($lines.Count) archives for windows/$arch" }
        $want, $name = $lines[0] -split '  ', 2

        $archive = Join-Path $tmp $name
        Invoke-WebRequest -UseBasicParsing -Uri "$url/$name" -OutFile $archive
        $got = (Get-FileHash -Algorithm SHA256 -Path $archive).Hash.ToLowerInvariant()
        if ($got -cne $want) { throw "$name has the SHA-256 $got, and checksums.txt says ${want}: nothing was installed" }

        Expand-Archive -Path $archive -DestinationPath (Join-Path $tmp 'unpacked')
        New-Item -ItemType Directory -Force -Path $bin | Out-Null
        Move-Item -Force -Path (Join-Path $tmp 'unpacked\mintmark.exe') -Destination (Join-Path $bin 'mintmark.exe')

        "$bin\mintmark.exe: out of $name, SHA-256 $got, as $url/checksums.txt says"
        'NOT CHECKED: who made it. The list comes from where the archive comes from;'
        'its signature, and where the key is: https://github.com/mintmark/mintmark/blob/main/docs/install.md'
        if (($env:PATH -split ';') -notcontains $bin) { "$bin is not in PATH" }
    }
    finally {
        Remove-Item -Recurse -Force -Path $tmp
    }
}
