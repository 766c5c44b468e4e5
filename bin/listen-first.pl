# listen-first.pl FOLDER NODE LAUNCHER ARGS...: becomes a server, with the sockets open at which it listened the last
# time. Perl begins in 2 ms, so that what clients ask while Node begins waits in the kernel. FOLDER holds what servers
# wrote of theirs (src/cli/remembered-sockets.ts): whatever does not fit, the server opens its sockets itself.
use strict;

my ($folder, @command) = @ARGV;
# Up to here descriptors stay open in the program that comes.
$^F = 1023;
my @sockets;
$ENV{NODENS_EARLY_SOCKETS} = eval { '[' . join(',', opened(@command[2 .. $#command])) . ']' };
delete $ENV{NODENS_EARLY_SOCKETS} unless defined $ENV{NODENS_EARLY_SOCKETS};
@sockets = () unless defined $ENV{NODENS_EARLY_SOCKETS};
exec { $command[0] } @command or die "nodens: $command[0]: $!\n";

# What the program is told of each socket, as JSON.
sub opened {
    my $key = join "\0", readlink '/proc/self/cwd', @_;
    # FNV-1a of 32 bits.
    my $hash = 2166136261;
    $hash = (($hash ^ ord) * 16777619) & 0xffffffff for split //, $key;
    open my $file, '<', sprintf('%s/%08x', $folder, $hash) or die;
    my ($of, $state, $corefile, @lines) = <$file>;
    close $file;
    chomp($of, $state, $corefile);
    die if pack('H*', $of) ne $key || join(' ', (stat pack 'H*', $corefile)[0, 1, 7, 9, 10]) ne $state;
    return map { opened_as(split) } @lines;
}

sub opened_as {
    my ($family, $type, $address, $before, $after, $backlog, $told) = @_;
    socket my $socket, $family, $type, 0 or die;
    push @sockets, $socket;
    set($socket, $before);
    bind $socket, pack 'H*', $address or die;
    !$backlog || listen $socket, $backlog or die;
    set($socket, $after);
    return sprintf '{%s,"fd":%d}', $told, fileno $socket;
}

# What a system does not allow stays as it is.
sub set {
    my ($socket, $options) = @_;
    for (split /,/, $options) {
        my ($level, $name, $value) = split /:/;
        setsockopt $socket, $level, $name, 0 + $value;
    }
}
