# Makes the databases of this folder with the Debian package libmaxmind-db-writer-perl: perl make-databases.pl
use strict; use warnings;
use MaxMind::DB::Writer::Tree;
my %types = (
  city=>'map', country=>'map', continent=>'map', location=>'map', postal=>'map', subdivisions=>['array','map'],
  names=>'map', en=>'utf8_string', de=>'utf8_string', iso_code=>'utf8_string', code=>'utf8_string', is_in_european_union=>'boolean',
  latitude=>'double', longitude=>'double', time_zone=>'utf8_string',
  autonomous_system_number=>'uint32', autonomous_system_organization=>'utf8_string',
);
sub tree { my ($type)=@_; MaxMind::DB::Writer::Tree->new(ip_version=>6, record_size=>24, database_type=>$type, languages=>['en'],
  description=>{en=>'made for tests'}, map_key_type_callback=>sub { $types{$_[0]} }, remove_reserved_networks=>0) }
my $city = tree('GeoLite2-City');
my $cam = { city=>{names=>{en=>'Cambridge', de=>'Cambridge'}}, country=>{iso_code=>'GB', names=>{en=>'United Kingdom'}, is_in_european_union=>0},
  continent=>{code=>'EU', names=>{en=>'Europe'}}, location=>{latitude=>52.2242, longitude=>0.1315, time_zone=>'Europe/London'},
  postal=>{code=>'CB4'}, subdivisions=>[{iso_code=>'ENG'},{iso_code=>'CAM'}] };
$city->insert_network('81.2.69.142/32', $cam);
$city->insert_network('2001:db8:44::/48', $cam);
$city->insert_network('192.0.2.0/24', { country=>{iso_code=>'FR', names=>{en=>'France'}, is_in_european_union=>1} });
open my $f, '>:raw', 'city.mmdb'; $city->write_tree($f); close $f;
my $asn = tree('GeoLite2-ASN');
$asn->insert_network('81.2.69.142/32', { autonomous_system_number=>12345, autonomous_system_organization=>'Test ASN Organization' });
$asn->insert_network('10.0.0.0/8', { autonomous_system_number=>0, autonomous_system_organization=>'Not routed' });
open $f, '>:raw', 'asn.mmdb'; $asn->write_tree($f); close $f;
my $other = tree('GeoIP2-Domain');
$other->insert_network('81.2.69.142/32', { autonomous_system_number=>1 });
open $f, '>:raw', 'domain.mmdb'; $other->write_tree($f); close $f;
